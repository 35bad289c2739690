import type { Group, Person, ProfileId, SpaceId } from '../sdk/protocol.ts';
import { rememberPeople } from '../store/people.ts';
import type { Store } from '../store/store.ts';
import { groupKindName, roleName, rolePlural } from '../texts/roles.ts';
import { byName, type Key, listing, text } from '../texts/text.ts';
import { type Choice, groupChoices, personChoices, type Wording } from './choice.ts';

/** Enough to choose from; who wants another writes one letter more. */
const PEOPLE = 30;
const GROUPS = 3;

/** In whose name one asks, when one has several profiles in a space. */
export interface Asker {
  readonly space: SpaceId;
  readonly profile: ProfileId | null;
}

/** The choices for what was typed; without anything typed, those nearest at hand. Rejects with `RequestError`. */
export async function choicesFor(store: Store, asker: Asker, search: string): Promise<Choice[]> {
  const words = wording();
  const { groups } = await store.server.request({ op: 'list_groups', space: asker.space });
  const mayWriteToGroups = isStaff(store, asker);
  const named =
    search === '' ? groups.filter((group) => group.mine) : groups.filter((group) => contains(group.name, search));
  const near = named.sort(byName).slice(0, GROUPS);
  const [first] = near;
  const found = search === '' ? [] : await peopleOf(store, asker, { search });
  const inGroup = first ? await peopleOf(store, asker, { group: first.group }) : [];
  const people = once([...found, ...inGroup]);
  const relatives = await relativesOf(store, asker, found);
  const all = once([...people, ...relatives]);
  rememberPeople(store, all);
  const own = store.own.value;
  return [
    ...(mayWriteToGroups ? near.flatMap((group) => groupChoices(group, words)) : []),
    ...people
      .filter((person) => !own.has(person.profile))
      .flatMap((person) => personChoices(person, all, groups, words)),
  ];
}

/** Why one cannot write to someone; null when one can. */
export async function objection(store: Store, asker: Asker, choice: Choice): Promise<string | null> {
  const as = asker.profile === null ? {} : { as_profile: asker.profile };
  for (const to of choice.recipients) {
    const {
      allowed,
      rule,
      from,
      to: role,
    } = await store.server.request({ op: 'explain', space: asker.space, ...as, to });
    if (!allowed)
      return text(RULES[rule] ?? 'rule-other', { from: rolePlural(from), to: role ? rolePlural(role) : '' });
  }
  return null;
}

const RULES: Readonly<Record<string, Key>> = {
  municipality_forbids: 'rule-municipality-forbids',
  institution_forbids: 'rule-institution-forbids',
  not_visible: 'rule-not-visible',
  groups_are_for_staff: 'rule-groups-are-for-staff',
  has_left: 'rule-has-left',
  nobody_there: 'rule-nobody-there',
};

async function peopleOf(
  store: Store,
  asker: Asker,
  where: { search?: string; group?: Group['group'] },
): Promise<Person[]> {
  const as = asker.profile === null ? {} : { as_profile: asker.profile };
  const { people } = await store.server.request({
    op: 'list_people',
    space: asker.space,
    ...as,
    ...where,
    limit: PEOPLE,
  });
  return people;
}

/** The classes of the first child that was found, so that its parents can be offered with it. */
async function relativesOf(store: Store, asker: Asker, found: readonly Person[]): Promise<Person[]> {
  const child = found.find((person) => person.role === 'child' && (person.groups?.length ?? 0) > 0);
  const group = child?.groups?.[0];
  if (!group) return [];
  const as = asker.profile === null ? {} : { as_profile: asker.profile };
  const { people } = await store.server.request({ op: 'list_people', space: asker.space, ...as, group, limit: 100 });
  return people;
}

/** Each person once, whoever found them how often. */
function once(people: readonly Person[]): Person[] {
  return [...new Map(people.map((person) => [person.profile, person])).values()];
}

function isStaff(store: Store, asker: Asker): boolean {
  const mine = store.me.value?.profiles.filter(
    (profile) => profile.space === asker.space && (asker.profile === null || profile.profile === asker.profile),
  );
  return mine?.some((profile) => profile.role !== 'guardian' && profile.role !== 'child') ?? false;
}

function contains(name: string, search: string): boolean {
  const plain = (words: string) => words.toLocaleLowerCase('da').replace(/[\s.]/gu, '');
  return plain(name).includes(plain(search));
}

function wording(): Wording {
  return {
    everyone: (group) => text('compose-group-all', { group }),
    guardians: (group) => text('compose-group-guardians', { group }),
    employees: (group) => text('compose-group-employees', { group }),
    children: (group) => text('compose-group-children', { group }),
    guardiansOf: (name) => text('compose-child-guardians', { name }),
    guardianOf: (children) => text('compose-guardian-of', { children: listing(children) }),
    people: (count) => text('compose-group-size', { count }),
    kind: groupKindName,
    role: roleName,
  };
}
