/** Resolves the `keyvault` text of a `secrets:` entry. */
export interface SecretProvider {
  /** Rejects with EngineError `secret-unavailable`; the message names the entry, never the value. */
  resolve(request: {
    readonly id: string;
    readonly keyvault: string;
    readonly clientID: string;
    readonly signal: AbortSignal;
  }): Promise<string>;
}
