// Chromium, the page and its widgets, for the browser tests.
'use strict';
const fs = require('fs');
const path = require('path');
const {chromium} = require('playwright-core');
const {serve} = require('../../web/serve.js');

const root = path.resolve(__dirname, '../..');
const executablePath = process.env.DALEA_CHROMIUM ||
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((f) => fs.existsSync(f));
const flags = ['--headless=new', '--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
  '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const sites = ['web', 'web-nothreads'].map((p) => path.join(root, 'build', p, 'site'));
const wholeSite = path.join(root, 'build/site');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until `check` is true; fails with what was last seen.
async function until(what, read, check, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    last = await read();
    if (check(last)) return last;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s; last seen ${JSON.stringify(last).slice(0, 600)}`);
    await sleep(50);
  }
}

// A page in a profile of its own. `errors` collects everything the console complains about.
// `site`: the one folder instead of the two of the builds; `before`: a function or {path} for every document.
async function openPage({isolation = true, hash = '', size = [1280, 720], theme = 'light', before, permissions = [], site, touch = false} = {}) {
  const server = await serve(site ? [site] : sites, {isolation});
  const browser = await chromium.launch({executablePath, args: flags});
  const context = await browser.newContext({viewport: {width: size[0], height: size[1]}, colorScheme: theme, permissions, acceptDownloads: true, hasTouch: touch});
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (e) => errors.push(`page: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error') errors.push(`console: ${m.text()}`); });
  const address = `http://127.0.0.1:${server.address().port}/`;
  if (before) await page.addInitScript(before);
  const started = Date.now();
  await page.goto(address + hash);
  const state = () => page.evaluate(() => (window.dalea ? window.dalea.state() : null));
  const call = (name, ...values) => page.evaluate(([n, v]) => window.dalea.call(n, ...v), [name, values]);
  const ready = () => until('the page is ready', () => page.evaluate(() => !!window.dalea), (v) => v);
  const place = async (name) => (await until(`widget ${name} is there`, async () => (await state()).widgets[name], (w) => w, 10));
  // Looks in the page until `check` holds of its state, and acts in the same turn: a fast machine may be further on in
  // the next. Both see the page alone.
  const atOnce = (what, check, act, seconds = 30) => page.evaluate(`new Promise((resolve, reject) => {
    const end = performance.now() + ${1000 * seconds};
    const look = setInterval(() => {
      const s = window.dalea.state();
      if ((${check})(s)) {
        clearInterval(look);
        (${act})(s);
        resolve(s);
      } else if (performance.now() > end) {
        clearInterval(look);
        reject(new Error(${JSON.stringify(what)} + ': not within ${seconds} s; last seen ' + JSON.stringify(s).slice(0, 600)));
      }
    }, 10);
  })`);
  // Frames that the browser has shown since: what was pressed has been seen, and what it changes is laid out.
  const drawn = (count = 3) => page.evaluate((n) => new Promise((resolve) => {
    const next = () => (n-- > 0 ? requestAnimationFrame(next) : resolve());
    next();
  }), count);
  const click = async (name) => {
    // Again where it moved meanwhile: a slow machine may still be laying out.
    for (let w = await place(name), tries = 0; tries < 20; ++tries) {
      await page.mouse.move(w.x + w.w / 2, w.y + w.h / 2);
      await sleep(120);
      await drawn();
      const now = await place(name);
      if (now.x === w.x && now.y === w.y && now.w === w.w) break;
      w = now;
    }
    await page.mouse.down();
    await sleep(120);
    await page.mouse.up();
    await sleep(120);
    await drawn();
  };
  // Replaces what an input field holds.
  const type = async (name, text) => {
    await click(name);
    await page.keyboard.press('Control+A');
    await sleep(80);
    await page.keyboard.type(text, {delay: 30});
    await page.keyboard.press('Enter');
    await sleep(200);
  };
  // Files by name and content, all of them together.
  const drop = (...files) => page.evaluate((all) => {
    const data = new DataTransfer();
    for (let k = 0; k < all.length; k += 2)
      data.items.add(new File([Uint8Array.from(atob(all[k + 1]), (c) => c.charCodeAt(0))], all[k]));
    document.getElementById('canvas').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
  }, files.map((f, k) => (k % 2 ? Buffer.from(f).toString('base64') : f)));
  const seen = async (text) => until(`a notice with "${text}"`, state, (s) => s.notices.some((n) => n.text.includes(text)), 20);
  const close = async () => { await browser.close(); server.close(); };
  const stopServer = () => { server.close(); server.closeAllConnections(); };
  // The page anew, as on another visit of the same browser.
  const visit = async (fragment = '') => {
    await page.goto('about:blank');
    await page.goto(address + fragment);
    await ready();
  };
  return {page, context, errors, address, started, state, call, ready, place, atOnce, drawn, click, type, drop, seen, close, stopServer, visit};
}

module.exports = {root, sites, wholeSite, sleep, until, openPage};
