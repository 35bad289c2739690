import { Button } from '../design/button.tsx';
import { Empty } from '../design/notice.tsx';
import { go } from '../router.ts';
import { hasNoProfile, NoProfiles } from '../settings/no_profiles.tsx';
import { loadMore } from '../store/inbox_pages.ts';
import type { Store } from '../store/store.ts';
import { dateOnly } from '../texts/dates.ts';
import { text } from '../texts/text.ts';
import { withheldTexts } from '../texts/withheld.ts';
import { searched, searchOn, stopSearching } from './search_on.ts';
import { filterOf, viewOf } from './view.ts';

interface EndProps {
  readonly store: Store;
  /** Nothing stands above. */
  readonly isEmpty: boolean;
}

/** What stands under the list: that it is loading, that there is more, how far was searched, or why there is nothing. */
export function End({ store, isEmpty }: EndProps) {
  const { value: reach } = store.reach;
  const isFirst = store.summaries.value.size === 0;
  // Whatever the server answers: nothing comes to someone without a profile.
  if (isFirst && hasNoProfile(store)) return <NoProfiles />;
  if (isFirst && (reach.kind === 'loading' || reach.kind === 'nothing')) return <Loading />;
  const isSearch = viewOf(store).search.value.trim() !== '';
  return (
    <>
      {isEmpty && (reach.kind === 'all' || isSearch) ? <Nothing store={store} /> : null}
      {isSearch ? <Searched store={store} /> : <More store={store} />}
      {withheldTexts(store.withheld.value).map((sentence) => (
        <p class="inbox__note" key={sentence}>
          {sentence}
        </p>
      ))}
    </>
  );
}

function More({ store }: { readonly store: Store }) {
  const { value: reach } = store.reach;
  if (reach.kind === 'loading') {
    return (
      <p class="inbox__note" role="status">
        {text('inbox-loading')}
      </p>
    );
  }
  if (reach.kind !== 'more') return null;
  return (
    <div class="inbox__more">
      <Button onPress={() => void loadMore(store)}>{text('inbox-more')}</Button>
    </div>
  );
}

/** No search claims more than it has seen: how far it went, and how to go on. */
function Searched({ store }: { readonly store: Store }) {
  const { value: isSearching } = viewOf(store).searching;
  const { count, backTo } = searched(store);
  const date = backTo === null ? '' : dateOnly(backTo);
  return (
    <div class="inbox__more">
      <p class="inbox__note" role={isSearching ? undefined : 'status'}>
        {isSearching ? text('inbox-searching') : null}{' '}
        {backTo === null ? text('inbox-searched-all', { count }) : text('inbox-searched', { count, date })}{' '}
        {text('inbox-searched-what')}
      </p>
      {isSearching ? <Button onPress={() => stopSearching(store)}>{text('inbox-search-stop')}</Button> : null}
      {backTo !== null && !isSearching ? (
        <Button onPress={() => void searchOn(store)}>{text('inbox-search-more')}</Button>
      ) : null}
    </div>
  );
}

function Nothing({ store }: { readonly store: Store }) {
  const { search, filter } = viewOf(store);
  if (search.value.trim() !== '') {
    return (
      <p class="inbox__none" role="status">
        {text('inbox-search-none', { search: search.value.trim() })}
      </p>
    );
  }
  if (filterOf(store).kind !== 'all') {
    return (
      <Empty title={text('inbox-empty-filter')} help={text('inbox-empty-filter-help')}>
        <Button
          onPress={() => {
            filter.value = { kind: 'all' };
          }}
        >
          {text('inbox-show-all')}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty title={text('inbox-empty')} help={text('inbox-empty-help')}>
      <Button kind="main" icon="edit" onPress={() => go({ kind: 'compose' })}>
        {text('inbox-new')}
      </Button>
    </Empty>
  );
}

const SHADOWS = [0, 1, 2, 3, 4, 5];

function Loading() {
  return (
    <div aria-busy="true">
      <p class="unseen" role="status">
        {text('inbox-loading')}
      </p>
      {SHADOWS.map((row) => (
        <div class="inbox__shadow" key={row} aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
      ))}
    </div>
  );
}
