import type { Rolldown } from 'vite';

type Naming = Rolldown.CodeSplittingNameFunction;
type Modules = Parameters<Naming>[1];

const closures = new WeakMap<Modules, ReadonlySet<string>>();

/**
 * All that the page needs before it shows anything is one file: a few requests fewer on a bad connection, and what is
 * alike in it is compressed together. Left to itself, the build makes a dozen of what lazy parts share with it.
 */
export const firstOfAll: Naming = (module, modules) => (neededAtOnce(modules).has(module) ? 'app' : null);

/** The entry's imports and theirs, without what is imported when it is asked for. */
function neededAtOnce(modules: Modules): ReadonlySet<string> {
  const known = closures.get(modules);
  if (known) return known;
  const found = new Set<string>();
  const visit = (module: string) => {
    if (found.has(module)) return;
    found.add(module);
    for (const imported of modules.getModuleInfo(module)?.importedIds ?? []) visit(imported);
  };
  visit(`${process.cwd()}/src/main.tsx`);
  closures.set(modules, found);
  return found;
}
