import { expect, it } from 'vitest';
import { SampleServer, welcome } from '../store/sample_server.ts';
import { type Server, Store } from '../store/store.ts';
import { hasNoProfile } from './no_profiles.tsx';

it('says that someone has no place only once the server has said so, and until they get one', () => {
  const store = new Store(new SampleServer() as unknown as Server);
  expect(hasNoProfile(store)).toBe(false);
  store.apply({ kind: 'connected', welcome: { ...welcome, profiles: [] }, resumes: false });
  expect(hasNoProfile(store)).toBe(true);
  store.apply({ kind: 'connected', welcome, resumes: false });
  expect(hasNoProfile(store)).toBe(false);
});
