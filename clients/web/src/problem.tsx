import { IconButton } from './design/button.tsx';
import { Fault } from './design/notice.tsx';
import './problem.css';
import type { Store } from './store/store.ts';
import { faultText } from './texts/faults.ts';
import { text } from './texts/text.ts';

/** What went wrong with the last thing that the person did, until they close it or do another. */
export function ProblemNotice({ store }: { readonly store: Store }) {
  const { value: problem } = store.problem;
  if (problem === null) return null;
  return (
    <div class="problem">
      <Fault>{faultText(problem)}</Fault>
      <IconButton
        icon="close"
        label={text('app-close')}
        onPress={() => {
          store.problem.value = null;
        }}
      />
    </div>
  );
}

/** Does something for the person and says when it fails. Answers whether it was done. */
export async function attempted(store: Store, doing: Promise<unknown>): Promise<boolean> {
  store.problem.value = null;
  try {
    await doing;
    return true;
  } catch (error) {
    store.problem.value = error;
    return false;
  }
}
