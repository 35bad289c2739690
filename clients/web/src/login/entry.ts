import { useState } from 'preact/hooks';
import { faultText } from '../texts/faults.ts';

/** How far it is with getting in. */
export type EntryState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'refused'; readonly why: string };

export function useEntry() {
  const [state, setState] = useState<EntryState>({ kind: 'waiting' });
  return {
    state,
    refuse: (why: string) => setState({ kind: 'refused', why }),
    enter: async (entering: Promise<void>) => {
      setState({ kind: 'busy' });
      try {
        await entering;
      } catch (error) {
        setState({ kind: 'refused', why: faultText(error) });
      }
    },
  };
}
