// The TypeScript SDK of Samtale, for browsers and for Node.
//
//     const { client, updates } = Client.connect({ server, credentials, device, client: 'my-client/1.0' });
//     await client.send(thread, [{ kind: 'text', text: 'Hej 👋' }]);
//     for await (const update of updates) {
//       if (update.kind === 'sent') console.log(`stored as ${update.sent.message}`);
//     }
//
// `client` is what an application holds. Behind it, one loop (`driver`) waits for the socket, the application and the
// time, and asks `connection`, a state machine that decides and never waits. `transport` knows WebSockets, `login` knows
// HTTP, `outbox` keeps what is not acknowledged yet.

export { ServerAddress } from './address.ts';
export { Client, type ClientOptions, type Credentials } from './client.ts';
export { CLOSE_CODES, type CloseCode, type CloseCodeName } from './close_codes.ts';
export type { Encoding } from './codec.ts';
export type { Hint } from './connection/inputs.ts';
export type { OutboxItem } from './connection/sends.ts';
export type { State } from './connection/state.ts';
export { type CursorStore, NO_CURSOR } from './cursor.ts';
export { followDevice } from './device.ts';
export type { Updates } from './driver/deliveries.ts';
export {
  AddressError,
  FrameError,
  LoginError,
  type LoginProblem,
  RequestError,
  type RequestProblem,
  SendError,
  type SendProblem,
} from './errors.ts';
export { isId, newId, timeOfMessage } from './ids.ts';
export * as limits from './limits.ts';
export { type Cookie, LoginService, type LoginServiceOptions } from './login.ts';
export { databaseName, forgetPerson, type IndexedDbOptions, indexedDbStores } from './outbox/indexed_db.ts';
export { memoryStores } from './outbox/memory.ts';
export { type OpenStore, type Outgoing, type PersonStore, wrongParts } from './outbox.ts';
export * from './protocol.ts';
export type { WebSocketConstructor, WebSocketLike } from './transport.ts';
export type { DisconnectReason, StopReason, Update } from './updates.ts';
