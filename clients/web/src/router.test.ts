import { describe, expect, it } from 'vitest';
import { pathOf, routeOf } from './router.ts';
import { THREAD } from './store/sample.ts';

describe('the router', () => {
  it('reads every address that it writes', () => {
    const routes = [
      { kind: 'inbox' },
      { kind: 'thread', thread: THREAD },
      { kind: 'compose' },
      { kind: 'settings' },
      { kind: 'login' },
      { kind: 'activate' },
      { kind: 'statement' },
    ] as const;
    for (const route of routes) expect(routeOf(pathOf(route))).toEqual(route);
  });

  it('forgives a slash at the end', () => {
    expect(routeOf('/settings/')).toEqual({ kind: 'settings' });
  });

  it('finds nothing where nothing is', () => {
    for (const path of ['/threads/', '/threads/x', `/threads/${THREAD}/more`, '/else', '/constructor']) {
      expect(routeOf(path)).toEqual({ kind: 'not_found' });
    }
  });
});
