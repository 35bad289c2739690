// The words on the wire, version 1. `docs/protocol.md` says what they mean; names and shapes here are those of the wire,
// except that ids are always hyphenated text in lower case. Fields that are not listed may be there: a newer server adds.

export const VERSION = 1;

/** An id: a UUID as text of 36 characters in lower case. */
export type Id = string;
export type SpaceId = Id;
export type PersonId = Id;
export type ProfileId = Id;
export type GroupId = Id;
export type ThreadId = Id;
/** Sorts by time: a thread is in the order of its message ids as text. */
export type MessageId = Id;
export type ClientId = Id;
export type DeviceId = Id;
export type SessionId = Id;
export type EventId = Id;
/** Whole milliseconds since 1970 UTC. */
export type Timestamp = number;
/** Opaque: a client's place in all its spaces. */
export type Cursor = Uint8Array;
export type Language = 'da' | 'en';

export type Role = 'child' | 'guardian' | 'employee' | 'institution_admin' | 'municipality_admin';
export type GroupKind = 'class' | 'team' | 'custom';

/** What a newer server may send and this version does not know: show that it is there, never send it. */
export interface Unknown {
  kind: 'unknown';
}
export interface TextPart {
  kind: 'text';
  text: string;
}
export type Part = TextPart | Unknown;

export type Recipient =
  | { kind: 'profile'; profile: ProfileId }
  | { kind: 'group'; group: GroupId }
  | { kind: 'group_role'; group: GroupId; role: Role }
  | { kind: 'guardians'; group: GroupId };

export interface Withheld {
  count: number;
  reason: 'name_protected' | 'not_permitted' | 'outside_membership' | 'unreadable';
}
export interface OwnProfile {
  profile: ProfileId;
  space: SpaceId;
  space_name: string;
  role: Role;
  name: string;
}
export interface Message {
  thread: ThreadId;
  message: MessageId;
  author: ProfileId;
  sent_at: Timestamp;
  version: number;
  parts: Part[];
  reply_to?: MessageId;
  edited_at?: Timestamp;
  recalled_at?: Timestamp;
}
export interface Thread {
  space: SpaceId;
  thread: ThreadId;
  version: number;
  membership_version: number;
  subject: string;
  starter: ProfileId;
  started_at: Timestamp;
  regarding?: ProfileId[];
  linked_to?: { thread: ThreadId; message: MessageId };
}
export interface ReadMark {
  up_to?: MessageId;
  also?: MessageId[];
}
export interface ThreadSettings {
  thread: ThreadId;
  version: number;
  muted: boolean;
  marked: boolean;
}
export interface Draft {
  thread: ThreadId;
  version: number;
  text: string;
}
export interface InboxEntry {
  thread: Thread;
  profile: ProfileId;
  last_message: MessageId;
  last_author: ProfileId;
  preview: string;
  unread: number;
  read: ReadMark;
  muted: boolean;
  marked: boolean;
  left_at?: Timestamp;
}
export interface Member {
  profile: ProfileId;
  role: Role;
  name: string;
  joined_at: Timestamp;
  left_at?: Timestamp;
  read?: ReadMark;
}
export interface Group {
  group: GroupId;
  kind: GroupKind;
  name: string;
  members: number;
  mine: boolean;
}
export interface Person {
  profile: ProfileId;
  role: Role;
  name: string;
  groups?: GroupId[];
  children?: ProfileId[];
}
export interface ActivationCode {
  profile: ProfileId;
  name: string;
  username: string;
  code: string;
  expires_at: Timestamp;
}
export interface Login {
  session: SessionId;
  client: string;
  since: Timestamp;
  current: boolean;
}
export interface Sent {
  thread: ThreadId;
  message: MessageId;
  client_id: ClientId;
}

// Requests.

export interface StartThread {
  op: 'start_thread';
  space: SpaceId;
  as_profile?: ProfileId;
  client_id: ClientId;
  sent_at: Timestamp;
  to: Recipient[];
  subject: string;
  regarding?: ProfileId[];
  parts: Part[];
}
export interface SendMessage {
  op: 'send_message';
  thread: ThreadId;
  client_id: ClientId;
  sent_at: Timestamp;
  parts: Part[];
  reply_to?: MessageId;
  membership_version?: number;
}
export interface ReplyToSender {
  op: 'reply_to_sender';
  thread: ThreadId;
  message: MessageId;
  client_id: ClientId;
  sent_at: Timestamp;
  parts: Part[];
}

export type Request =
  | StartThread
  | SendMessage
  | ReplyToSender
  | { op: 'edit_message'; thread: ThreadId; message: MessageId; parts: Part[] }
  | { op: 'recall_message'; thread: ThreadId; message: MessageId }
  | { op: 'history'; thread: ThreadId; before?: MessageId; after?: MessageId; limit: number }
  | { op: 'mark_read'; thread: ThreadId; messages: MessageId[] }
  | { op: 'inbox'; space?: SpaceId; before?: MessageId; limit: number }
  | { op: 'open_thread'; thread: ThreadId; after?: ProfileId }
  | { op: 'add_members'; thread: ThreadId; to: Recipient[]; from_the_beginning?: boolean }
  | { op: 'remove_members'; thread: ThreadId; profiles: ProfileId[] }
  | { op: 'leave_thread'; thread: ThreadId }
  | { op: 'rename_thread'; thread: ThreadId; subject: string }
  | { op: 'set_thread_settings'; thread: ThreadId; muted?: boolean; marked?: boolean }
  | { op: 'save_draft'; thread: ThreadId; text: string }
  | { op: 'load_draft'; thread: ThreadId }
  | { op: 'list_groups'; space: SpaceId }
  | {
      op: 'list_people';
      space: SpaceId;
      as_profile?: ProfileId;
      group?: GroupId;
      search?: string;
      after?: ProfileId;
      limit: number;
    }
  | { op: 'names'; space: SpaceId; profiles: ProfileId[] }
  | { op: 'explain'; space: SpaceId; as_profile?: ProfileId; to: Recipient }
  | { op: 'issue_activation_codes'; space: SpaceId; group: GroupId }
  | { op: 'list_logins' }
  | { op: 'end_login'; session: SessionId }
  | { op: 'watch_presence'; space: SpaceId; profiles: ProfileId[] }
  | { op: 'set_presence_visibility'; hidden: boolean }
  | { op: 'typing'; thread: ThreadId };

/** Which reply a request leads to. */
export const REPLY_KINDS = {
  start_thread: 'sent',
  send_message: 'sent',
  reply_to_sender: 'sent',
  edit_message: 'message',
  recall_message: 'message',
  history: 'history',
  mark_read: 'read',
  inbox: 'inbox',
  open_thread: 'thread',
  add_members: 'membership_changed',
  remove_members: 'membership_changed',
  leave_thread: 'membership_changed',
  rename_thread: 'renamed',
  set_thread_settings: 'thread_settings',
  save_draft: 'draft',
  load_draft: 'draft',
  list_groups: 'groups',
  list_people: 'people',
  names: 'people',
  explain: 'explanation',
  issue_activation_codes: 'activation_codes',
  list_logins: 'logins',
  end_login: 'done',
  watch_presence: 'online',
  set_presence_visibility: 'done',
  typing: 'done',
} as const satisfies Record<Request['op'], Reply['kind']>;

// Replies.

export type Rule =
  | 'table_allows'
  | 'municipality_forbids'
  | 'institution_forbids'
  | 'not_visible'
  | 'groups_are_for_staff'
  | 'has_left'
  | 'nobody_there';

export type Reply =
  | ({ kind: 'sent' } & Sent)
  | ({ kind: 'message' } & Message)
  | { kind: 'history'; messages: Message[]; more: boolean; withheld?: Withheld[] }
  | ({ kind: 'read' } & ReadMark)
  | { kind: 'inbox'; entries: InboxEntry[]; more: boolean; withheld?: Withheld[] }
  | {
      kind: 'thread';
      thread: Thread;
      members: Member[];
      more: boolean;
      families: number;
      may_write: boolean;
      withheld?: Withheld[];
    }
  | { kind: 'membership_changed'; thread: ThreadId; membership_version: number }
  | ({ kind: 'renamed' } & Thread)
  | ({ kind: 'thread_settings' } & ThreadSettings)
  | ({ kind: 'draft' } & Draft)
  | { kind: 'groups'; groups: Group[]; withheld?: Withheld[] }
  | { kind: 'people'; people: Person[]; more: boolean; withheld?: Withheld[] }
  | { kind: 'explanation'; allowed: boolean; rule: Rule; from: Role; to?: Role }
  | { kind: 'activation_codes'; codes: ActivationCode[] }
  | { kind: 'logins'; logins: Login[] }
  | { kind: 'online'; space: SpaceId; profiles: ProfileId[] }
  | { kind: 'done' };

/** The reply to a request of this operation. */
export type ReplyTo<Op extends Request['op']> = Extract<Reply, { kind: (typeof REPLY_KINDS)[Op] }>;

// Events and signals.

export type Event =
  | ({ kind: 'message' } & Message)
  | ({ kind: 'thread' } & Thread)
  | {
      kind: 'membership';
      thread: ThreadId;
      membership_version: number;
      profile: ProfileId;
      joined_at: Timestamp;
      left_at?: Timestamp;
    }
  | { kind: 'read'; thread: ThreadId; profile: ProfileId; version: number; read: ReadMark }
  | ({ kind: 'thread_settings' } & ThreadSettings)
  | ({ kind: 'draft' } & Draft)
  | { kind: 'directory'; version: number }
  | { kind: 'profiles'; version: number }
  | Unknown;

export type Signal =
  | { kind: 'typing'; thread: ThreadId; profile: ProfileId }
  | { kind: 'presence'; space: SpaceId; profile: ProfileId; online: boolean }
  | Unknown;

// Refusals.

/** Whether the same request may succeed later, by code. A code that is not in the list is not repeated. */
export const ERROR_CODES = {
  bad_request: false,
  too_large: false,
  not_found: false,
  not_permitted: false,
  clock_ahead: true,
  restamp: true,
  client_id_reused: false,
  recalled: false,
  conflict: true,
  too_many: true,
  overloaded: true,
  storage_full: true,
  storage_unavailable: true,
  keys_unavailable: true,
  wrong_credentials: false,
  disabled: false,
  invalid_token: false,
  invalid_activation_code: false,
  weak_password: false,
  internal: true,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface Refusal {
  code: ErrorCode;
  /** For the person, in their language. */
  message: string;
  /** For the developer, in English. */
  detail?: string;
  retry_after_ms?: number;
}

// Frames.

export interface Hello {
  version: number;
  access_token: string;
  device: DeviceId;
  client: string;
  language?: Language;
  cursor?: Cursor;
}
export interface Welcome {
  server_time: Timestamp;
  person: PersonId;
  session: SessionId;
  profiles: OwnProfile[];
  expires_at: Timestamp;
  ping_interval_ms: number;
  /** Whether one's presence is hidden from others; left out when it is not. */
  presence_hidden?: boolean;
}

export type ClientFrame = ({ t: 'hello' } & Hello) | { t: 'request'; id: number; request: Request };

export type ServerFrame =
  | ({ t: 'welcome' } & Welcome)
  | { t: 'reply'; id: number; reply: Reply }
  | { t: 'error'; id?: number; error: Refusal }
  | { t: 'event'; space: SpaceId; id: EventId; event: Event }
  | { t: 'signal'; signal: Signal }
  | { t: 'cursor'; cursor: Cursor }
  | { t: 'resumed'; space: SpaceId; events: number }
  | { t: 'resync'; space: SpaceId };

/** The answer to a login. With a cookie for the refresh token, script never sees that. */
export interface LoginReply {
  access_token: string;
  refresh_token?: string;
  /** Seconds. */
  expires_in: number;
  profiles: OwnProfile[];
}
