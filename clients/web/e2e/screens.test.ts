import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { barriersOn } from './harness/barriers.ts';
import { DESK, type Device, PHONE } from './harness/device.ts';
import { SCREENSHOTS } from './harness/places.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();

const SIZES = { phone: PHONE, desk: DESK } as const;

interface Screen {
  readonly name: string;
  /** From the screen before. */
  readonly go: (device: Device) => Promise<void>;
}

const BEFORE: readonly Screen[] = [
  { name: 'login', go: async (device) => device.button('login-submit').waitFor() },
  {
    name: 'login-refused',
    go: async (device) => {
      await device.button('login-submit').click();
      await device.seesText(device.text('login-missing'));
    },
  },
  {
    name: 'activate',
    go: async (device) => {
      await device.page.getByRole('link', { name: device.text('login-to-activate') }).click();
      await device.button('activate-submit').waitFor();
    },
  },
];

const INSIDE: readonly Screen[] = [
  { name: 'inbox', go: async (device) => device.entry('Tur i skoven').waitFor() },
  {
    name: 'inbox-menu',
    go: async (device) => {
      const entry = device.entry('Tur i skoven');
      await entry.hover();
      await entry.getByRole('button').click();
      await device.page.getByRole('menu').waitFor();
    },
  },
  {
    name: 'inbox-search',
    go: async (device) => {
      await device.page.keyboard.press('Escape');
      await device.page.getByRole('textbox', { name: device.text('inbox-search') }).fill('xylofon');
      await device.seesText(device.text('inbox-search-none', { search: 'xylofon' }));
    },
  },
  {
    name: 'thread',
    go: async (device) => {
      await device.button('inbox-search-clear').click();
      await device.openThread('Tur i skoven');
      await device.log.locator('.message').first().waitFor();
    },
  },
  {
    name: 'thread-menu',
    go: async (device) => {
      const message = device.log.locator('.message').last();
      await message.hover();
      await message.getByRole('button').first().click();
      await device.page.getByRole('menu').waitFor();
    },
  },
  {
    name: 'thread-details',
    go: async (device) => {
      await device.page.keyboard.press('Escape');
      await device.openDetails();
      await device.page.getByRole('dialog').getByRole('listitem').first().waitFor();
    },
  },
  {
    name: 'thread-leave',
    go: async (device) => {
      await device.button('thread-leave').click();
      await device.page.getByText(device.text('thread-leave-help')).waitFor();
    },
  },
  {
    name: 'offline',
    go: async (device) => {
      await device.button('app-cancel').click();
      await device.button('app-close').click();
      await device.goOffline();
      await device.seesText(device.text('connection-offline'));
      await device.say(`Vi er på vej, ${device.isPhone ? 'til fods' : 'på cykel'} (${device.text('app-retry')}).`);
      await device.seesState(device.text('thread-queued'));
    },
  },
  {
    name: 'compose',
    go: async (device) => {
      await device.goOnline();
      await device.seesState(device.text('thread-sent'));
      await device.page.locator('.line').waitFor({ state: 'detached' });
      if (device.isPhone) await device.toInbox();
      await device.page.getByRole('link', { name: device.text('inbox-new') }).click();
      await device.page.getByRole('combobox').fill('Anne Holm');
      await device.page.getByRole('option').first().click();
      await device.button('compose-remove', { name: 'Anne Holm' }).waitFor();
      await device.page.getByLabel(device.text('compose-subject'), { exact: true }).fill('Læsebogen');
      await device.page
        .getByLabel(device.text('compose-text'), { exact: true })
        .fill('Hun har glemt den hjemme i dag.');
    },
  },
  {
    name: 'compose-suggestions',
    go: async (device) => {
      await device.page.getByRole('combobox').fill('Lin');
      await device.page.getByRole('option').first().waitFor();
    },
  },
  {
    name: 'compose-unchosen',
    go: async (device) => {
      await device.page.keyboard.press('Escape');
      await device.button('compose-submit').click();
      await device.seesText(device.text('compose-missing-choice', { search: 'Lin' }));
    },
  },
  {
    name: 'compose-missing',
    go: async (device) => {
      await device.page.getByRole('combobox').fill('');
      await device.page.getByLabel(device.text('compose-subject'), { exact: true }).fill('');
      await device.button('compose-submit').click();
      await device.seesText(device.text('compose-missing-subject'));
    },
  },
  {
    name: 'settings',
    go: async (device) => {
      if (device.isPhone) await device.button('app-back').click();
      await device.page.getByRole('link', { name: device.text('settings-title') }).click();
      await device.seesText(device.text('settings-login-current'));
    },
  },
  {
    name: 'log-out',
    go: async (device) => {
      await device.button('settings-log-out').click();
      await device.seesText(device.text('settings-log-out-help'));
    },
  },
  {
    name: 'not-found',
    go: async (device) => {
      await device.button('app-cancel').click();
      await device.visit('/nowhere');
      await device.seesText(device.text('app-not-found'));
    },
  },
];

for (const size of ['phone', 'desk'] as const) {
  for (const language of ['da', 'en'] as const) {
    test(`every screen on a ${size}, ${language}: a picture in both themes, and nothing that keeps anyone out`, async () => {
      const device = await stage.device({ size: SIZES[size], language, allow: ['network_away'] });
      await device.page.emulateMedia({ reducedMotion: 'reduce' });
      const found: string[] = [];
      const look = async ({ name, go }: Screen) => {
        await go(device);
        for (const theme of ['light', 'dark'] as const) {
          await device.page.emulateMedia({ colorScheme: theme });
          await picture(device, `${name}-${size}-${theme}-${language}`);
          // What axe looks at is the same in every language.
          const barriers = language === 'da' ? await barriersOn(device.page) : [];
          found.push(...barriers.map((barrier) => `${name}, ${theme}: ${barrier}`));
        }
        await device.page.emulateMedia({ colorScheme: 'light' });
      };
      for (const screen of BEFORE) await look(screen);
      await device.page.getByRole('link', { name: device.text('activate-to-login') }).click();
      await device.logIn('guardian');
      for (const screen of INSIDE) await look(screen);
      expect(found).toEqual([]);
    });
  }
}

async function picture(device: Device, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await device.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}
