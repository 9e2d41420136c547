// Pictures of every tab, for the README and for looking at: node tests/browser/gallery.js [WORDS...]
// Writes assets/screens/NAME.png (1280x720, light) and out/screenshots/tab-NAME-dark.png (1920x1080, dark), and one line
// each on what to look at into out/screenshots/tabs.md. Words choose tabs by name.
'use strict';
const fs = require('fs');
const path = require('path');
const {root, sleep, until, openPage} = require('./page.js');

const readme = path.join(root, 'assets/screens');
const shots = path.join(root, 'out/screenshots');
const finished = (p, what, check, seconds = 240) => until(what, p.state, check, seconds);

// A network that has learned half of the quick start: the same in every picture.
async function halfWay(p) {
  await p.ready();
  await p.call('pause');
  await p.call('pace', 0);
  await p.call('restart');
  await finished(p, 'it is back at the start', (s) => s.updates === 0 && !s.running);
  for (let epoch = 1; epoch <= 10; ++epoch) {
    await p.call('step_epoch');
    await finished(p, `epoch ${epoch}`, (s) => s.epoch === epoch && !s.running && s.hash_updates === s.updates);
  }
}
const tab = async (p, name) => { await p.click(`tab:${name}`); };
const preset = async (p, id, name) => {
  await p.ready();
  await p.call('open_preset', id);
  await finished(p, `${id} opens`, (s) => s.name.includes(name) && s.hash !== '');
};

// So many epochs as fast as they go, then a pause and a tab.
const trained = async (p, id, name, epochs, open) => {
  await preset(p, id, name);
  await p.call('pace', 0);
  await finished(p, `${epochs} epochs`, (s) => s.epoch >= epochs, 300);
  await p.call('pause');
  await tab(p, open);
};

const views = [
  {name: 'weights', look: 'red columns excite, blue ones inhibit; the loss falls; the answer meets its target',
    make: async (p) => { await halfWay(p); await tab(p, 'Weights'); }},
  {name: 'build', look: 'one connectivity, twice: probabilities by block, and the circuit they make; the mask they give below',
    make: async (p) => { await preset(p, 'cell-types', 'ell'); await p.call('pause'); await tab(p, 'Build'); }},
  {name: 'spectrum', look: 'eigenvalues now and at the start, beside the unit circle',
    make: async (p) => { await halfWay(p); await tab(p, 'Weights'); await p.click('learning-tab:Spectrum'); await p.click('trial-tab:Activity'); }},
  {name: 'states', look: 'held-out trials as paths through the first principal components; weights by sign above',
    make: async (p) => {
      await halfWay(p); await p.click('learning-tab:Weights by sign'); await p.click('trial-tab:States');
      await sleep(2500);
    }},
  {name: 'timeline', look: 'the strip at the top: an earlier moment is shown; the matrix and the hash are of that moment',
    make: async (p) => {
      await halfWay(p);
      const line = await p.place('timeline');
      await p.page.mouse.click(line.x + 0.2 * line.w, line.y + line.h / 2);
      await finished(p, 'it looks back', (s) => s.looking_back);
    }},
  {name: 'recording', look: 'what was read from a file and what was left out, before it is trained on',
    make: async (p) => {
      await p.ready();
      let text = `time,${Array.from({length: 24}, (_, k) => `cell${k + 1}`).join(',')}\n`;
      for (let t = 0; t < 600; ++t)
        text += `${(t * 0.1).toFixed(1)},${Array.from({length: 24}, (_, k) => (k === 4 ? '1' : (Math.sin(t / (6 + k)) * Math.exp(-((t * (k + 3)) % 97) / 60)).toFixed(4))).join(',')}\n`;
      await p.drop('two-photon.csv', text);
      await finished(p, 'it is read', (s) => s.preview && s.preview.units === 23);
    }},
  {name: 'fit', look: 'held-out R2 of every unit with its interval, beside three baselines and exchanged units',
    make: async (p) => {
      await trained(p, 'recording', 'rame', 20, 'Fit');
      await p.click('fits:measure');
      await sleep(3000);
    }},
  {name: 'recovery', look: 'a known circuit: what a network trained on its recording tells of each connection',
    make: async (p) => {
      await trained(p, 'ground-truth', 'circuit', 20, 'Recording');
      await p.click('recovery:open');
      await p.click('recovery:measure');
      await sleep(3000);
    }},
  {name: 'answers', look: 'which digit was taken for which; the digit read row by row at the lower right',
    make: async (p) => {
      await trained(p, 'digits-small', 'igits', 2, 'Answers');
    }},
  {name: 'perturb', look: 'the network with its inhibitory population silenced, beside the one left alone',
    make: async (p) => { await halfWay(p); await tab(p, 'Perturb'); await sleep(1500); }},
  {name: 'runs', look: 'two conditions, two seeds each, learning side by side with mean and spread',
    make: async (p) => {
      await p.ready();
      await finished(p, 'there is an experiment', (s) => s.network > 0);
      await p.call('runs', 'conventional,dale', 2, 0);
      await finished(p, 'they learn', (s) => s.runs.jobs && s.runs.jobs.filter((j) => j.epoch >= 6).length >= 2);
    }},
  {name: 'compare', look: 'two conditions, five networks each: which blocks of weights differ, and how sure that is',
    make: async (p) => {
      await preset(p, 'quickstart', '');
      await tab(p, 'Compare');
      await p.click('compare:train');
      await finished(p, 'they are compared', (s) => s.compare.blocks, 600);
    }},
  {name: 'connectome', look: 'a connectome between areas on a circle, what scaling makes of it, and the region under the pointer',
    make: async (p) => {
      await trained(p, 'connectome', 'onnectome', 4, 'Connectome');
      await p.click('connectome:show:Circle');
      const circle = await p.place('connectome:circle');
      await p.page.mouse.move(circle.x + circle.w / 2, circle.y + 8);
      await sleep(800);
    }},
  {name: 'prune', look: 'what survives at 80 % sparsity with the spanning tree drawn on it, and the error over sparsities',
    make: async (p) => {
      await halfWay(p);
      await tab(p, 'Prune');
      await p.call('prune_sweep');
      await finished(p, 'the sweep is done', (s) => !s.prune.sweeping && s.prune.sweep && s.prune.sweep.complete, 300);
      await sleep(2000);
    }},
  {name: 'reproduce', look: 'a figure of the paper trained here, with a verdict for each claim',
    make: async (p) => {
      await p.ready();
      await finished(p, 'there is an experiment', (s) => s.network > 0);
      await p.call('reproduce', 'fig2', 1, 0, 3, 'flip-flop,wave');
      await finished(p, 'the figure', (s) => s.reproduce.finished, 400);
    }},
  {name: 'theory', look: 'two weights to drag: the promised and the measured rate of convergence',
    make: async (p) => { await p.ready(); await p.call('pause'); await tab(p, 'Theory'); }},
  {name: 'speed', look: 'what a training step costs, beside the measured peak of this machine',
    make: async (p) => {
      await p.ready();
      await p.call('bench', 'flip-flop,wave', 1, 0.2);
      await finished(p, 'it is measured', (s) => !s.speed.running && s.speed.results.length === 2, 300);
    }},
];

async function main() {
  fs.mkdirSync(readme, {recursive: true});
  fs.mkdirSync(shots, {recursive: true});
  const words = process.argv.slice(2);
  const lines = [];
  let failed = 0;
  for (const view of views) {
    lines.push(`- \`${view.name}\`: ${view.look}.`);
    if (words.length && !words.some((w) => view.name.includes(w))) continue;
    for (const [size, theme, file] of [[[1280, 720], 'light', path.join(readme, `${view.name}.png`)],
      [[1920, 1080], 'dark', path.join(shots, `tab-${view.name}-dark.png`)]]) {
      const p = await openPage({size, theme});
      try {
        await view.make(p);
        await p.page.mouse.move(2, size[1] - 2);
        await sleep(900);
        await p.page.screenshot({path: file});
        if (p.errors.length) throw new Error(p.errors.join('; '));
        console.log(`ok   ${path.relative(root, file)}`);
      } catch (e) {
        ++failed;
        await p.page.screenshot({path: file}).catch(() => {});
        console.log(`FAIL ${view.name} (${theme}): ${e.message}`);
      } finally {
        await p.close();
      }
    }
  }
  fs.writeFileSync(path.join(shots, 'tabs.md'), `# What to look at\n\n${lines.join('\n')}\n`);
  process.exit(failed ? 1 : 0);
}

module.exports = {halfWay, readme};
if (require.main === module) main();
