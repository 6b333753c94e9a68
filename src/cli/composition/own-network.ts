/** A person's own machine: the addresses of its network are as trusted as public ones. */
export const OWN_NETWORK = { allowPrivate: true, allowLoopback: true } as const;
