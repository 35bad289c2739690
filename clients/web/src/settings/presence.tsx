import { Choice } from '../design/field.tsx';
import { attempted } from '../problem.tsx';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';

export function PresenceVisibility({ store }: { readonly store: Store }) {
  const { presenceHidden: isHidden } = store;
  const choose = async (isVisible: boolean) => {
    const before = isHidden.value;
    isHidden.value = !isVisible;
    const isDone = await attempted(store, store.server.request({ op: 'set_presence_visibility', hidden: !isVisible }));
    if (!isDone) isHidden.value = before;
  };
  return (
    <section class="settings__part" aria-labelledby="presence-title">
      <h2 class="settings__title" id="presence-title">
        {text('settings-presence')}
      </h2>
      <Choice
        label={text('settings-presence-visible')}
        help={text('settings-presence-help')}
        checked={!isHidden.value}
        onChange={(isVisible) => void choose(isVisible)}
      />
    </section>
  );
}
