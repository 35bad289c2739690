import type { Group, GroupKind, Person, ProfileId, Recipient, Role } from '../sdk/protocol.ts';

/** Someone or some people that one can write to, under the name that one knows them by. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  /** What tells them from others of the same name. */
  readonly beside: string;
  readonly isGroup: boolean;
  /** "This child's parents" are several. */
  readonly recipients: readonly Recipient[];
  /** The child that it is about, if it is about one. */
  readonly child: ProfileId | null;
}

/** The words of a choice, which depend on the language. */
export interface Wording {
  readonly everyone: (group: string) => string;
  readonly guardians: (group: string) => string;
  readonly employees: (group: string) => string;
  readonly children: (group: string) => string;
  readonly guardiansOf: (child: string) => string;
  readonly guardianOf: (children: readonly string[]) => string;
  readonly people: (count: number) => string;
  readonly kind: (kind: GroupKind) => string;
  readonly role: (role: Role) => string;
}

/** A group, and who of it: everyone, the parents, the staff, the children. */
export function groupChoices(group: Group, words: Wording): Choice[] {
  const { group: id, name, members } = group;
  const ofGroup = (part: string, label: string, recipient: Recipient, beside = words.kind(group.kind)): Choice => ({
    key: `${part} ${id}`,
    label,
    beside,
    isGroup: true,
    recipients: [recipient],
    child: null,
  });
  return [
    ofGroup('guardians', words.guardians(name), { kind: 'guardians', group: id }),
    ofGroup('all', words.everyone(name), { kind: 'group', group: id }, words.people(members)),
    ofGroup('employees', words.employees(name), { kind: 'group_role', group: id, role: 'employee' }),
    ofGroup('children', words.children(name), { kind: 'group_role', group: id, role: 'child' }),
  ];
}

/** A person; and of a child, besides, its parents as far as they are among `people`. */
export function personChoices(
  person: Person,
  people: readonly Person[],
  groups: readonly Group[],
  words: Wording,
): Choice[] {
  const alone: Choice = {
    key: person.profile,
    label: person.name,
    beside: besides(person, people, groups, words),
    isGroup: false,
    recipients: [{ kind: 'profile', profile: person.profile }],
    child: person.role === 'child' ? person.profile : null,
  };
  const guardians = people.filter((other) => other.children?.includes(person.profile));
  if (person.role !== 'child' || guardians.length === 0) return [alone];
  const parents: Choice = {
    key: `guardians of ${person.profile}`,
    label: words.guardiansOf(person.name),
    beside: guardians.map((guardian) => guardian.name).join(', '),
    isGroup: true,
    recipients: guardians.map((guardian) => ({ kind: 'profile', profile: guardian.profile })),
    child: person.profile,
  };
  return [parents, alone];
}

/** Who is chosen, as the server wants it: each once. */
export const Chosen = {
  recipients(chosen: readonly Choice[]): Recipient[] {
    const all = new Map(
      chosen.flatMap((choice) => choice.recipients).map((recipient) => [JSON.stringify(recipient), recipient]),
    );
    return [...all.values()];
  },
  children(chosen: readonly Choice[]): ProfileId[] {
    return [...new Set(chosen.flatMap((choice) => choice.child ?? []))];
  },
};

function besides(person: Person, people: readonly Person[], groups: readonly Group[], words: Wording): string {
  const names = (person.children ?? []).flatMap((id) => people.find((other) => other.profile === id)?.name ?? []);
  if (names.length > 0) return words.guardianOf(names);
  const memberOf = (person.groups ?? []).flatMap((id) => groups.find((group) => group.group === id)?.name ?? []);
  return [words.role(person.role), ...memberOf.slice(0, 2)].join(' · ');
}
