import { type messages, type PGlite, parse, protocol, type QueryOptions, type Results } from "@electric-sql/pglite";

interface KeptStatement {
  name: string;
  parameterTypes: number[];
  /** What describes the columns; the same for every run. */
  columns: messages.BackendMessage[];
}

/** The busy path has some twenty statements; what a filter puts together must not fill the memory. */
const KEPT_MAX = 100;

const NO_SYNC = { syncToFs: false };

/**
 * Made without the values: left to choose, Postgres finds that knowing arrays of one element would save rows, and plans forever. And made
 * for tables that will fill: most statements are planned when they are empty, and read whole, as is best then, they made settling four
 * times as dear within 10,000 messages.
 */
const PLANS = `
  SET plan_cache_mode = force_generic_plan;
  SET enable_seqscan = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off`;

/** A database may be opened again: its session, and what is kept there, is still the same. */
const keeping = new WeakSet<PGlite>();

/**
 * Has an embedded database parse and plan each statement once, by its text; the first ones are kept, others go as before. PGlite's own
 * `query` begins anew each time, which for ours takes five times as long as executing them, and stops the event loop meanwhile.
 *
 * What runs in a transaction is not kept. Between two statements the event loop has a turn.
 */
export async function keepStatements(pglite: PGlite): Promise<void> {
  if (keeping.has(pglite)) return;
  keeping.add(pglite);
  const { serialize } = protocol;
  const kept = new Map<string, KeptStatement>();
  const queryAnew = pglite.query.bind(pglite);
  const send = (...parts: Uint8Array[]) => pglite.execProtocolStream(Buffer.concat([...parts, serialize.sync()]), NO_SYNC);

  const keep = async (sql: string): Promise<KeptStatement> => {
    const name = `kept_${kept.size}`;
    const described = await send(serialize.parse({ name, text: sql }), serialize.describe({ type: "S", name }));
    const columns = described.filter((message) => message.name === "rowDescription");
    const statement = { name, parameterTypes: parse.parseDescribeStatementResults(described), columns };
    kept.set(sql, statement);
    return statement;
  };

  const run = async <T>(sql: string, params: unknown[], options?: QueryOptions): Promise<Results<T>> => {
    const { name, parameterTypes, columns } = kept.get(sql) ?? (await keep(sql));
    const values = params.map((value, index) => toParameter(value, pglite.serializers[parameterTypes[index] ?? 0]));
    const answered = await send(serialize.bind({ statement: name, values }), serialize.execute());
    const [result] = parse.parseResults([...columns, ...answered], pglite.parsers, options);
    return result as Results<T>;
  };

  await pglite.exec(PLANS);
  pglite.query = async <T>(sql: string, params: unknown[] = [], options?: QueryOptions): Promise<Results<T>> => {
    if (!kept.has(sql) && kept.size >= KEPT_MAX) return queryAnew<T>(sql, params, options);
    await pglite._checkReady();
    // Both locks, as PGlite's own: with one only, a statement slips between those of a transaction, and into it.
    return pglite._runExclusiveTransaction(() =>
      pglite._runExclusiveQuery(async () => {
        await turn();
        return run<T>(sql, params, options);
      }),
    );
  };
}

/** Else all statements that wait would run in one go, and no request be read before the last of them is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A buffer is in Postgres' binary format already. */
function toParameter(value: unknown, serializer: ((value: unknown) => string) | undefined): string | Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value;
  return serializer === undefined ? String(value) : serializer(value);
}
