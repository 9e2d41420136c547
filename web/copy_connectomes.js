// The connectomes that the page offers: node web/copy_connectomes.js TO [FROM...]
// Copies the matrices, names and densities of the first folder FROM that has a matrix (./run fetch puts six there) into
// the folder TO, and lists them in TO/list.json. Without any it says so and ends well: the page offers what is dropped on
// it and a synthetic one.
'use strict';
const fs = require('fs');
const path = require('path');

const species = ['Macaque_Normalized', 'Marmoset_Normalized', 'Mouse_Gamanut_Normalized', 'Mouse_Ypma_Oh',
  'Human_Betzel_Normalized', 'Drosophila'];
const files = species.flatMap((s) => [`C_${s}.npy`, `${s}.npy`, `${s}.names.txt`, `ND_${s}.npy`,
  `${s.split('_')[0]}_neuron_density.npy`]);
const largest = 1 << 20;  // the largest is 26 kB

function usable(folder, name) {
  const about = fs.statSync(path.join(folder, name), {throwIfNoEntry: false});
  return about !== undefined && about.isFile() && about.size > 0 && about.size <= largest;
}

function main([to, ...folders]) {
  if (!to) throw new Error('needs the folder to copy to');
  const from = folders.find((folder) => folder && files.some((f) => f.endsWith('.npy') && usable(folder, f)));
  fs.rmSync(to, {recursive: true, force: true});
  fs.mkdirSync(to, {recursive: true});
  if (!from) {
    fs.writeFileSync(path.join(to, 'list.json'), '[]\n');  // the page asks, and is told
    console.log('The page is built without connectomes of species, which are not here: ./run fetch brings them.');
    return;
  }
  const here = [...new Set(files)].filter((f) => usable(from, f));
  for (const f of here) fs.copyFileSync(path.join(from, f), path.join(to, f));
  fs.writeFileSync(path.join(to, 'list.json'), `${JSON.stringify(here)}\n`);
}

try {
  main(process.argv.slice(2));
} catch (e) {
  console.error(`copy_connectomes: ${e.message}`);
  process.exit(1);
}
