/**
 * A module of the product as it is shipped. Its types come from the source, its code from the build: the loader that runs the
 * benchmarks wraps functions, which would make what it loads slower than it is.
 */
export async function fromDist<Module>(path: string): Promise<Module> {
  return (await import(new URL(`../../dist/${path}`, import.meta.url).href)) as Module;
}
