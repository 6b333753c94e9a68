import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Route, RouteName } from '../../../api/routes.ts';
import type { RunRecord } from '../../../model/run-record.ts';
import type { Principal } from '../../../model/security.ts';

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** One request, checked: what its route says of it holds. */
export interface Call<Name extends RouteName> {
  readonly params: Route<Name> extends { readonly params: infer Schema } ? OutputOf<Schema> : undefined;
  readonly query: Route<Name> extends { readonly query: infer Schema } ? OutputOf<Schema> : undefined;
  readonly body: Route<Name> extends { readonly body: { readonly schema: infer Schema } }
    ? OutputOf<Schema>
    : Route<Name> extends { readonly body: { readonly kind: 'bytes' } }
      ? Readable
      : undefined;
  readonly principal: Principal;
  /** The version of `If-Match`. */
  readonly version: number | undefined;
  readonly run: Route<Name>['target'] extends { readonly kind: 'run' } ? RunRecord : undefined;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Answers<Name extends RouteName> = Route<Name>['answers'];

/** What a handler gives back: one of the answers of its route, or the stream that it has sent. */
export type Answer<Name extends RouteName> =
  | {
      [Status in keyof Answers<Name>]: {
        readonly status: Status;
        readonly headers?: Readonly<Record<string, string>>;
      } & (Answers<Name>[Status] extends z.ZodType ? { readonly body: z.output<Answers<Name>[Status]> } : { readonly body?: undefined });
    }[keyof Answers<Name>]
  | Streamed;

export interface Streamed {
  readonly stream: Readable | string;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler<Name extends RouteName> = (call: Call<Name>) => Promise<Answer<Name>>;

export type Handlers<Names extends RouteName = RouteName> = { readonly [Name in Names]: Handler<Name> };
