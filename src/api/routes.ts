import { DAEMON_ROUTES } from './daemon-routes.ts';
import { QUEUE_ROUTES } from './queue-routes.ts';
import { RUN_ROUTES } from './run-routes.ts';
import { SECURITY_ROUTES } from './security-routes.ts';
import { TASK_ROUTES } from './task-routes.ts';
import { TRIGGER_ROUTES } from './trigger-routes.ts';

/** Every route of the API. */
export const ROUTES = [...TASK_ROUTES, ...RUN_ROUTES, ...TRIGGER_ROUTES, ...QUEUE_ROUTES, ...SECURITY_ROUTES, ...DAEMON_ROUTES] as const;

export type RouteName = (typeof ROUTES)[number]['name'];
export type Route<Name extends RouteName> = Extract<(typeof ROUTES)[number], { readonly name: Name }>;
