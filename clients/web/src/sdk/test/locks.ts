// Web Locks for Node 20, which has none: what the SDK uses of them, shared by the "tabs" of one test.

type Held = () => Promise<unknown>;

export function locksOfOneBrowser(): LockManager {
  const waiting = new Map<string, Promise<unknown>>();
  const request = (name: string, ...rest: [LockOptions, Held] | [Held]): Promise<unknown> => {
    const [options, held] = rest.length === 1 ? [{} as LockOptions, rest[0]] : rest;
    const before = waiting.get(name) ?? Promise.resolve();
    const granted = before.then(() => (options.signal?.aborted ? undefined : held()));
    waiting.set(
      name,
      granted.catch(() => {}),
    );
    return granted;
  };
  return { request, query: async () => ({}) } as LockManager;
}
