import type { GroupKind, Role } from '../sdk/protocol.ts';
import { type Key, text } from './text.ts';

const NAMES: Readonly<Record<Role, Key>> = {
  child: 'role-child',
  guardian: 'role-guardian',
  employee: 'role-employee',
  institution_admin: 'role-institution-admin',
  municipality_admin: 'role-municipality-admin',
};

const PLURALS: Readonly<Record<Role, Key>> = {
  child: 'role-children',
  guardian: 'role-guardians',
  employee: 'role-employees',
  institution_admin: 'role-admins',
  municipality_admin: 'role-admins',
};

const GROUPS: Readonly<Record<GroupKind, Key>> = { class: 'group-class', team: 'group-team', custom: 'group-custom' };

export function roleName(role: Role): string {
  return text(NAMES[role]);
}

/** "forældre", as in "forældre kan ikke …" */
export function rolePlural(role: Role): string {
  return text(PLURALS[role]);
}

export function groupKindName(kind: GroupKind): string {
  return text(GROUPS[kind]);
}
