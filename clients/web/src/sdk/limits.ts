// The limits of the protocol that a client must know. The server refuses what is above them; nothing is cut off.

/** A frame to the server, in bytes. */
export const CLIENT_FRAME_BYTES = 65_536;
/** A frame from the server, in bytes. */
export const SERVER_FRAME_BYTES = 262_144;
/** How deep lists and maps may be nested in a frame. */
export const NESTING_DEPTH = 16;
/** The parts of one message. */
export const PARTS = 16;
/** The text of one message, all parts together, in bytes of UTF-8. */
export const TEXT_BYTES = 16_384;
/** A thread's subject, in bytes of UTF-8. */
export const SUBJECT_BYTES = 400;
/** The entries of one recipient list. */
export const RECIPIENTS = 200;
/** The children that one thread regards. */
export const REGARDING = 40;
/** The items of one page of any list. */
export const PAGE = 100;
/** The ids in one request for names, or in one read mark. */
export const IDS = 200;
/** The profiles that one session may watch for presence. */
export const WATCHED = 200;
/** A cursor, in bytes. */
export const CURSOR_BYTES = 4096;
/** A search text, a user name, a client's name, in bytes. */
export const SHORT_TEXT_BYTES = 200;
/** Requests that may be under way at once. */
export const REQUESTS_UNDER_WAY = 8;
/** From the upgrade to a whole `hello`, and as long again for `welcome`. */
export const HANDSHAKE_MS = 10_000;
/** How long a typing signal is shown unless it is renewed. */
export const TYPING_MS = 6_000;
