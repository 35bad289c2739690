import { describe, expect, it } from 'vitest';
import type { Outgoing } from '../sdk/index.ts';
import { id, THREAD } from './sample.ts';
import { sendsIn, sendsWithoutThread, waitingCount, withFailed, withOutbox, without } from './sends.ts';

const outgoing = (number: number): Outgoing => ({
  op: 'send_message',
  client_id: id('4444', number),
  thread: THREAD,
  parts: [{ kind: 'text', text: 'x' }],
});
const item = (number: number, state: 'queued' | 'sending' = 'queued') => ({ outgoing: outgoing(number), state });

describe('sends', () => {
  it('follow the outbox', () => {
    const queued = withOutbox([], [item(1), item(2)]);
    const sending = withOutbox(queued, [item(1, 'sending'), item(2)]);
    expect(sending.map((send) => send.state.kind)).toEqual(['sending', 'queued']);
  });

  it('do not vanish between leaving the outbox and being told of', () => {
    const sends = withOutbox(withOutbox([], [item(1)]), []);
    expect(sends).toHaveLength(1);
    expect(without(sends, id('4444', 1))).toHaveLength(0);
  });

  it('stay as failed when they are refused, and do not count as waiting', () => {
    const refusal = { code: 'not_permitted', message: 'nej' } as const;
    const sends = withFailed(withOutbox([], [item(1)]), outgoing(1), refusal);
    expect(sendsIn(sends, THREAD)[0]?.state).toEqual({ kind: 'failed', refusal });
    expect(waitingCount(sends)).toBe(0);
  });

  it('to a thread that is gone are shown where new ones are', () => {
    const sends = withOutbox([], [item(1)]);
    expect(sendsWithoutThread(sends, new Set())).toHaveLength(0);
    expect(sendsWithoutThread(sends, new Set([THREAD]))).toHaveLength(1);
  });
});
