import { describe, expect, it } from 'vitest';
import type { Update } from '../sdk/index.ts';
import { SPACE } from '../store/sample.ts';
import { connectionAfter } from './state.ts';

const profile = { profile: 'p', space: SPACE, space_name: 'S', role: 'guardian', name: 'N' } as const;
const welcome = { server_time: 0, person: 'p', session: 's', profiles: [profile], expires_at: 0, ping_interval_ms: 1 };
const connected = (resumes: boolean): Update => ({ kind: 'connected', welcome, resumes });

describe('the connection line', () => {
  it('says that it catches up until every space has', () => {
    const catching = connectionAfter({ kind: 'connecting' }, connected(true), 0);
    expect(catching.kind).toBe('catching_up');
    expect(connectionAfter(catching, { kind: 'resumed', space: SPACE, events: 3 }, 0)).toEqual({ kind: 'live' });
    expect(connectionAfter(catching, { kind: 'resync', space: SPACE }, 0)).toEqual({ kind: 'live' });
  });

  it('is quiet at once when there is nothing to catch up with', () => {
    expect(connectionAfter({ kind: 'connecting' }, connected(false), 0)).toEqual({ kind: 'live' });
  });

  it('tells offline from a server that is away, and when the next try is', () => {
    const lost = (reason: 'offline' | 'silence'): Update => ({
      kind: 'disconnected',
      retryInMs: 3000,
      reason: { kind: reason },
    });
    expect(connectionAfter({ kind: 'live' }, lost('offline'), 0)).toEqual({ kind: 'offline' });
    expect(connectionAfter({ kind: 'live' }, lost('silence'), 0, false)).toEqual({ kind: 'offline' });
    expect(connectionAfter({ kind: 'live' }, lost('silence'), 1000)).toEqual({ kind: 'waiting', until: 4000 });
  });
});
