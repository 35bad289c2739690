import { CHROMIUM } from './places.ts';

/** No name but the school's own address can be looked up: what the page asks elsewhere fails, and is seen to. */
const ONLY_HERE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';

export const LAUNCH = {
  executablePath: CHROMIUM,
  headless: true,
  args: ['--headless', '--no-sandbox', '--disable-background-networking', ONLY_HERE],
};
