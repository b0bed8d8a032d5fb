/** Where a secret belongs. Sealed under one context, it opens under no other: values cannot be moved between rows. */
export interface SecretContext {
  accountId: string;
  field: string;
}

export interface SealedSecret {
  ciphertext: Uint8Array<ArrayBuffer>;
  /** Names the master key without revealing it. */
  keyId: string;
}

/** Encrypts secrets for the database and reads them back. */
export interface SecretBox {
  /** The key that seals. */
  readonly keyId: string;
  /** Whether the key with this id is at hand. */
  canOpen(keyId: string): boolean;
  /** Two seals of one value differ. */
  seal(plaintext: string, context: SecretContext): SealedSecret;
  /**
   * @throws ConfigError MASTER_KEY_WRONG when the key it was sealed with is not at hand, CIPHERTEXT_INVALID when the bytes were
   * changed or belong to another context
   */
  open(sealed: SealedSecret, context: SecretContext): string;
}
