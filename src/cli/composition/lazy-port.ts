/** Every method of a port by its name. A port with a member that is no method which returns a promise has none: it cannot be lazy. */
type MethodsOf<Port> = {
  readonly [Name in keyof Port]-?: Required<Port>[Name] extends (...args: never[]) => Promise<unknown> ? true : never;
};

/**
 * A port whose adapter is loaded and made at the first call of a method. `methods` names all methods of the port: one that is left out does not
 * compile, so that nobody calls what is not there.
 */
export function lazyPort<Port extends object>(methods: MethodsOf<Port>, load: () => Promise<Port>): Port {
  let loading: Promise<Port> | undefined;
  const entries = (Object.keys(methods) as (keyof Port)[]).map((name) => [
    name,
    async (...args: unknown[]): Promise<unknown> => {
      loading ??= load();
      const port = await loading;
      return (port[name] as (...values: unknown[]) => Promise<unknown>).apply(port, args);
    },
  ]);
  return Object.fromEntries(entries) as Port;
}
