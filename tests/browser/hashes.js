// For tests/hash_table.py: trains each link of standard input (one a line) in the page, with threads and on one thread,
// and prints a line of JSON for each: {"build", "index", "hash"}.
'use strict';
const fs = require('fs');
const {until, openPage} = require('./page.js');

(async () => {
  const links = fs.readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
  for (const isolation of [true, false]) {
    const p = await openPage({isolation});
    try {
      await p.ready();
      const build = await p.page.evaluate(() => window.dalea.build);
      for (const [index, link] of links.entries()) {
        await p.page.evaluate((l) => { location.hash = l; }, link);
        const end = await until(`link ${index} ends`, p.state, (s) => s.finished && s.link === link, 300);
        console.log(JSON.stringify({build, index, hash: end.hash}));
      }
    } finally {
      await p.close();
    }
  }
})().catch((e) => { console.error(e.message); process.exit(1); });
