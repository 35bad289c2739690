import { expect, test } from 'vitest';
import { PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';
import { storedIn } from './harness/storage.ts';

const stage = setStage();

/** The installation, and what the person chose for this browser: neither says who it was. */
const MAY_STAY = ['samtale.device', 'samtale.language', 'samtale.theme'];

for (const isOwnDevice of [false, true]) {
  const where = isOwnDevice ? "one's own device" : 'a shared device';
  test(`after a log-out on ${where} nothing of the person is left in the browser`, async () => {
    const { name, username } = stage.school.login('child');
    const [child, teacher] = [await stage.correspondent('child'), await stage.correspondent('teacher')];
    const tablet = await stage.keptDevice({ size: PHONE });
    await teacher.startThread(child, `Bogen på ${where}`, 'Har du læst kapitlet om ulven?');
    await tablet.logIn('child', { isOwnDevice });
    await tablet.openThread(`Bogen på ${where}`);
    await tablet.sees('Har du læst kapitlet om ulven?');
    await tablet.say('Ja, den var uhyggelig');
    await tablet.seesState(tablet.text('thread-sent'));
    await tablet.write('Jeg vil gerne');
    if (isOwnDevice) await tablet.isKept();
    // While someone is logged in there is something, so that this looks where it has to.
    const before = await storedIn(tablet.page);
    expect(Object.keys(before.databases)).not.toEqual([]);
    expect((await tablet.context.cookies()).length).toBeGreaterThan(0);
    await tablet.toInbox();
    await tablet.logOut();

    const { databases, localStorage, sessionStorage, caches } = await storedIn(tablet.page);
    expect(databases).toEqual({});
    expect(sessionStorage).toEqual({});
    expect(Object.keys(localStorage).filter((key) => !MAY_STAY.includes(key))).toEqual([]);
    expect(Object.keys(caches).filter((cache) => !cache.startsWith('samtale-shell-'))).toEqual([]);
    expect(
      Object.values(caches)
        .flat()
        .filter((path) => path.startsWith('/v1/')),
    ).toEqual([]);
    expect(await tablet.context.cookies()).toEqual([]);
    const left = JSON.stringify({ databases, localStorage, sessionStorage });
    for (const word of [name, username, 'ulven', 'uhyggelig', 'Jeg vil gerne', 'Bogen på'])
      expect(left).not.toContain(word);

    // Nor does it come back with the browser.
    await tablet.shut();
    await tablet.reopen();
    await tablet.button('login-submit').waitFor();
    expect((await storedIn(tablet.page)).databases).toEqual({});
  });
}
