import type { ForgeAccess } from '../../model/ports/forge.ts';
import type { HttpResponse } from '../../util/http.ts';
import type { ForgeKind } from './rights.ts';

export interface ForgeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly access: ForgeAccess;
  /** What is asked, for messages: `the commit status`. */
  readonly doing: string;
  /** Besides the token: texts that no message may repeat. */
  readonly secrets?: readonly string[];
}

export interface ForgeAnswer {
  readonly status: number;
  readonly headers: HttpResponse['headers'];
  readonly text: string;
}

/** How one kind of forge is spoken to. */
export interface ForgeDialect {
  readonly kind: ForgeKind;
  authorization(token: string): string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers that mean that the token was not accepted, besides 401, 403 and 404. */
  denies?(status: number, location: string): boolean;
  /** Statuses besides 408, 429 and 5xx that pass. */
  readonly passing?: readonly number[];
}
