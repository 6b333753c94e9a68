/**
 * Seals what must not stand in the database in clear, with the daemon's key. `boundTo` names the place of the sealed value (`secret:NAME`,
 * `task:ID:FIELD`, `run:ID`): it is no part of the result, and the same text must be given to open it, so that a sealed value moved to
 * another row does not open.
 */
export interface SecretBox {
  /** Two sealings of one value differ. */
  seal(plain: string | Uint8Array, boundTo: string): Uint8Array;
  /** Throws EngineError `secret-unavailable`, without any part of the value, for another key, another place or changed bytes. */
  open(sealed: Uint8Array, boundTo: string): Buffer;
}
