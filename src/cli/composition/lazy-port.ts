type Method<Port> = { [Name in keyof Port]: Port[Name] extends (...args: never[]) => Promise<unknown> ? Name : never }[keyof Port];

/**
 * A port whose adapter is loaded and made at the first call of a method. Every method of the port returns a promise, and
 * `methods` names all of them.
 */
export function lazyPort<Port extends object>(methods: readonly Method<Port>[], load: () => Promise<Port>): Port {
  let loading: Promise<Port> | undefined;
  const entries = methods.map((name) => [
    name,
    async (...args: unknown[]): Promise<unknown> => {
      loading ??= load();
      const port = await loading;
      return (port[name] as (...values: unknown[]) => Promise<unknown>).apply(port, args);
    },
  ]);
  return Object.fromEntries(entries) as Port;
}
