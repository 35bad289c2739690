import type { Store } from './store.ts';

/**
 * Something that outlives a screen but not the person: each store has its own. A variable of a module would still hold
 * the words of one person when the next logs in.
 */
export function ofStore<Value>(make: () => Value): (store: Store) => Value {
  const all = new WeakMap<Store, Value>();
  return (store) => {
    const known = all.get(store);
    if (known !== undefined) return known;
    const made = make();
    all.set(store, made);
    return made;
  };
}
