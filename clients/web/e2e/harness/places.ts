import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const SERVER = process.env.SAMTALE_BIN ?? at('../../../../target/debug/samtale');
export const CLUSTER = at('../../../../target/debug/samtale-cluster');
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const PAGE = at('../../dist');
export const MESSAGES = at('../../messages');
export const SCREENSHOTS = at('../../screenshots');
export const AXE = at('../../node_modules/axe-core/axe.min.js');
