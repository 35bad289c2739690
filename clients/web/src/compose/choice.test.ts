import { describe, expect, it } from 'vitest';
import type { Person } from '../sdk/protocol.ts';
import { id } from '../store/sample.ts';
import { Chosen, groupChoices, personChoices, type Wording } from './choice.ts';

const words: Wording = {
  everyone: (group) => `all ${group}`,
  guardians: (group) => `parents ${group}`,
  employees: (group) => `staff ${group}`,
  children: (group) => `children ${group}`,
  guardiansOf: (child) => `parents of ${child}`,
  guardianOf: (children) => `parent of ${children.join()}`,
  people: (count) => `${count}`,
  kind: (kind) => kind,
  role: (role) => role,
};
const child: Person = { profile: id('cccc', 7), role: 'child', name: 'Bo', groups: [id('dddd', 1)] };
const parent: Person = { profile: id('cccc', 2), role: 'guardian', name: 'Åse', children: [child.profile] };
const group = { group: id('dddd', 1), kind: 'class', name: '3.A', members: 22, mine: true } as const;

describe('choices', () => {
  it('offer a child’s parents together, and say whose parent someone is', () => {
    const [parents, alone] = personChoices(child, [child, parent], [group], words);
    expect(parents?.label).toBe('parents of Bo');
    expect(parents?.recipients).toEqual([{ kind: 'profile', profile: parent.profile }]);
    expect(alone?.beside).toBe('child · 3.A');
    expect(personChoices(parent, [child, parent], [group], words)[0]?.beside).toBe('parent of Bo');
  });

  it('offer a class by relation', () => {
    expect(groupChoices(group, words).map((choice) => choice.label)).toEqual([
      'parents 3.A',
      'all 3.A',
      'staff 3.A',
      'children 3.A',
    ]);
  });

  it('name each recipient once', () => {
    const chosen = [...personChoices(child, [child, parent], [], words), ...personChoices(parent, [], [], words)];
    expect(Chosen.recipients(chosen)).toHaveLength(2);
    expect(Chosen.children(chosen)).toEqual([child.profile]);
  });
});
