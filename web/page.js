// Loads the build that this page can run, and connects the window (web/platform_web.cpp) with the browser: address bar,
// files, clipboard, and the controls for keyboards and screen readers.
'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const canvas = at('canvas'), cover = at('cover'), status = at('status');
  let module = null;
  let threads = false;  // of the build that runs
  let mostBytes = 0;    // of files given together

  const explain = (title, text) => {
    cover.hidden = false;
    at('cover-bar').hidden = true;
    at('cover-text').textContent = text;
    cover.querySelector('h2').textContent = title;
    status.textContent = `${title}. ${text}`;
  };

  // The program is gone, the page is not: says so, and what is kept.
  const crashed = (what) => {
    if (!cover.hidden && !window.dalea) return;  // it never started: said elsewhere
    window.dalea = undefined;
    module = null;
    explain('The training has crashed', `${what}. Reload the page: it offers to continue from the session it kept last.`);
  };
  window.addEventListener('error', (e) => {
    if (module && (e.error instanceof WebAssembly.RuntimeError || /worker sent an error|memory access out of bounds|unreachable/.test(e.message)))
      crashed(e.message);
  });

  const setTheme = (dark) => { document.documentElement.dataset.theme = dark ? 'dark' : 'light'; };
  const remembered = () => { try { return localStorage.getItem('dalea-theme'); } catch { return null; } };
  const dark = remembered() ? remembered() === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  setTheme(dark);

  // ---- what stays in this browser: the latest session, for the next visit (IndexedDB). Nothing is sent anywhere.
  const mostKept = 64 * 1024 * 1024;
  const database = () => new Promise((resolve, reject) => {
    const opening = indexedDB.open('dalea', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  // One transaction; `what` gets the store and returns a request, whose result comes out.
  async function stored(mode, what) {
    const db = await database();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = db.transaction('kept', mode);
        const request = what(transaction.objectStore('kept'));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      db.close();
    }
  }
  let writes = Promise.resolve();  // one after the other, so that forgetting comes last when it was asked for last
  const write = (what) => {
    writes = writes.then(() => stored('readwrite', what)).catch(() => { /* a private window, or no room: not kept */ });
    return writes;
  };

  // The fragment of the network on screen; what differs from it came from outside.
  let shown = '';
  let handled = location.hash;  // what the address held when we last looked: a newer one must be heard first
  let writing = 0;
  const host = {
    save(name, bytes) {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([bytes], {type: 'application/octet-stream'}));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    },
    pick() { at('file').click(); },
    copy(text) {
      const byHand = () => {
        const area = document.createElement('textarea');
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand('copy');
        area.remove();
        canvas.focus();
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text).catch(byHand);
      else byHand();
    },
    link(fragment) {
      shown = `#${fragment}`;
      try { localStorage.setItem('dalea-link', shown); } catch { /* not remembered */ }
      clearTimeout(writing);
      writing = setTimeout(() => {
        if (location.hash === shown || location.hash !== handled) return;
        history.replaceState(null, '', shown);
        handled = shown;
      }, 250);
    },
    fetchDigits() { fetchDigits(); },
    findSpecies() { findSpecies(); },
    fetchSpecies(name, files) { fetchSpecies(name, files.split(',').filter(Boolean)); },
    keep(about, bytes) {
      if (bytes.length > mostKept) return;
      write((store) => { store.put(bytes, 'session'); return store.put(about, 'about'); });
    },
    async openKept() {
      try {
        const bytes = await stored('readonly', (store) => store.get('session'));
        if (bytes) give('give_file', 'kept.npz', bytes);
        else say(true, 'The session is no longer here: it was removed in the meantime');
      } catch (e) {
        say(true, `The browser does not give the kept session back: ${e.message}`);
      }
    },
    keepLayout(text) {
      try { localStorage.setItem('dalea-layout', text); } catch { /* not remembered */ }
    },
    forgetKept() {
      write((store) => store.clear());
    },
    theme(isDark) {
      setTheme(isDark);
      try { localStorage.setItem('dalea-theme', isDark ? 'dark' : 'light'); } catch { /* not remembered */ }
    },
  };

  const call = (name, ...values) =>
    module && module.ccall(`dalea_${name}`, null, values.map((v) => (typeof v === 'string' ? 'string' : 'number')), values);
  const state = () => JSON.parse(module.ccall('dalea_state', 'string', [], []));
  const say = (isError, text) => call('say', isError ? 1 : 0, text);

  // Hands the module a file's bytes by one of its functions that take over what malloc gave.
  function give(taker, name, bytes) {
    const pointer = module._malloc(Math.max(1, bytes.length));
    if (pointer === 0) {
      say(true, `There is not enough memory for ${name} in this page`);
      return;
    }
    module.HEAPU8.set(bytes, pointer);
    module.ccall(`dalea_${taker}`, null, ['string', 'number', 'number'], [name, pointer, bytes.length]);
  }

  // The small set of digits lies beside the page (web/cut_digits.js), and is fetched when an experiment first asks.
  async function fetchDigits() {
    const names = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'];
    try {
      const files = await Promise.all(names.map(async (name) => {
        const answer = await fetch(`digits/${name}.gz`);
        if (answer.status === 404) throw new Error('this page was built without any (./run web installs them)');
        if (!answer.ok) throw new Error(`they could not be fetched: ${answer.status} ${answer.statusText}`);
        return new Uint8Array(await answer.arrayBuffer());
      }));
      names.forEach((name, k) => give('give_digits', `${name}.gz`, files[k]));
    } catch (e) {
      call('digits_missing', e instanceof TypeError ? 'they could not be fetched: is the page\'s server still there?' : e.message);
    }
  }

  // Connectomes of known species lie there too (web/copy_connectomes.js), with a list of their files.
  async function findSpecies() {
    try {
      const answer = await fetch('connectomes/list.json');
      if (answer.ok) call('species_found', (await answer.json()).join(','));
    } catch { /* the page offers what is dropped on it */ }
  }
  async function fetchSpecies(name, files) {
    try {
      if (files.length === 0) throw new Error('its file is not beside this page');
      for (const file of files) {
        const answer = await fetch(`connectomes/${file}`);
        if (!answer.ok) throw new Error(`${file} could not be fetched: ${answer.status} ${answer.statusText}`);
        give('add_species_file', file, new Uint8Array(await answer.arrayBuffer()));
      }
      call('give_species', name);
    } catch (e) {
      call('species_missing', name, e instanceof TypeError ? 'it could not be fetched: is the page\'s server still there?' : e.message);
    }
  }

  // Files from the disk go to the module in pieces, with a bar and a way to stop, so that the page never stands still.
  const piece = 4 * 1024 * 1024;
  const shownFrom = 16 * 1024 * 1024;  // smaller ones are there at once
  const megabytes = (n) => Math.round(n / 1048576);
  let reading = null;  // {cancelled, over: a promise}

  // False: stopped, or there is not enough memory; that was said.
  async function readPieces(file, job, done, total) {
    if (!module.ccall('dalea_begin_pieces', 'number', ['number'], [file.size])) {
      say(true, `There is not enough memory for ${file.name} in this page`);
      return false;
    }
    for (let from = 0; from < file.size; from += piece) {
      host.piece = new Uint8Array(await file.slice(from, from + piece).arrayBuffer());
      if (!module || job.cancelled) break;
      call('add_piece', host.piece.length);
      at('reading-bar').value = total > 0 ? (done + from + host.piece.length) / total : 1;
    }
    host.piece = null;
    if (job.cancelled) say(false, `Reading ${file.name} was cancelled`);
    return module !== null && !job.cancelled;
  }

  // Files that were chosen or dropped together: those of one recording (a data file with its cells.csv and events.csv,
  // suite2p's arrays) become one; the module tells others apart.
  async function giveFiles(files) {
    const total = files.reduce((sum, f) => sum + f.file.size, 0), one = files.length === 1;
    const named = one ? files[0].name : `${files.length} files`;
    if (total > mostBytes) {
      say(true, `${one ? `${named} has` : `These ${named} have`} ${megabytes(total)} MB; this page takes at most ${megabytes(mostBytes)} MB` +
        `${threads ? '' : ' (512 MB in a browser with threads), for it stands still while numbers are read'}. The command line takes more: ` +
        `./run cli run assets/experiments/recording.json --set recording.file=${one ? 'FILE' : 'FOLDER'}`);
      return;
    }
    // A small one is over in a moment: this one comes after it.
    while (reading && at('reading').hidden) await reading.over;
    if (reading) {
      say(true, 'A file is being read; wait for it, or cancel it');
      return;
    }
    let end;
    const job = reading = {cancelled: false, over: new Promise((resolve) => { end = resolve; })};
    at('reading-text').textContent = `Reading ${named} (${megabytes(total)} MB)`;
    at('reading-bar').value = 0;
    at('reading-cancel').onclick = () => { job.cancelled = true; canvas.focus(); };
    at('reading-cancel').hidden = false;
    at('reading').hidden = total < shownFrom;
    try {
      let done = 0;
      for (const {file, name} of files) {
        if (!await readPieces(file, job, done, total)) {
          call('drop_pieces');
          return;
        }
        done += file.size;
        module.ccall('dalea_give_pieces', null, ['string', 'number'], [name, one ? 0 : 1]);
      }
      if (!one) call('give_together');
      // The training's thread makes a recording of the bytes. Without one the page stands still meanwhile.
      at('reading-text').textContent = `Reading the numbers of ${named}${threads ? '' : ': the page stands still meanwhile'}`;
      at('reading-cancel').onclick = () => { call('cancel_reading'); canvas.focus(); };
      at('reading-cancel').hidden = !threads;
      if (!threads) at('reading-bar').removeAttribute('value');
      call('reading_shown', at('reading').hidden ? 0 : 1);
      for (let part; module && (part = module.ccall('dalea_reading', 'number', [], [])) >= 0;) {
        if (threads) at('reading-bar').value = part;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } catch (e) {
      call('drop_pieces');
      say(true, `${one ? named : 'The files'} cannot be read: ${e.message}`);
    } finally {
      host.piece = null;
      reading = null;
      at('reading').hidden = true;
      call('reading_shown', 0);
      end();
    }
  }

  // What a dropped folder holds of a recording, two levels deep.
  const ofFolders = ['F.npy', 'Fneu.npy', 'spks.npy', 'iscell.npy', 'cells.csv', 'events.csv'];
  async function filesIn(entry, path, depth) {
    if (entry.isFile) {
      if (depth > 0 && !ofFolders.includes(entry.name)) return [];
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{file, name: path + entry.name}];
    }
    if (depth > 2) return [];
    const reader = entry.createReader(), found = [];
    for (let some = [null]; some.length > 0 && found.length < 1000;) {
      some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      for (const e of some) found.push(...await filesIn(e, `${path}${entry.name}/`, depth + 1));
    }
    return found;
  }

  async function giveDropped(entries, plain) {
    try {
      const files = entries.some((e) => e.isDirectory)
        ? (await Promise.all(entries.map((e) => filesIn(e, '', 0)))).flat() : plain;
      if (files.length > 0) await giveFiles(files);
      else say(true, 'The folder holds no F.npy, Fneu.npy, spks.npy or iscell.npy of suite2p; drop a recording\'s file instead');
    } catch (e) {
      say(true, `The folder cannot be read: ${e.message}`);
    }
  }

  // ---- status and controls in the document
  let told = '';
  let toldAt = 0;
  function tell() {
    if (!module) return;
    const s = state();
    const play = at('c-play');
    play.textContent = s.running ? 'Stop' : s.finished ? 'Train again' : 'Start';
    at('c-continue').hidden = !s.kept;
    if (s.kept) at('c-continue').textContent = `Continue where you left off (${s.kept.name}, epoch ${s.kept.epoch})`;
    document.title = s.name ? `${s.name} - Dalea` : 'Dalea';
    const audit = `${s.audit.sign} sign violations, ${s.audit.mask} off-mask weights`;
    const last = s.notices.length ? ` ${s.notices[s.notices.length - 1].text}` : '';
    const loss = s.held_out === null ? '' : `, held-out loss ${s.held_out.toPrecision(4)}`;
    const right = s.accuracy === null ? '' : `, ${(100 * s.accuracy).toFixed(1)} % of held-out answers right`;
    const text = `${s.phase}: epoch ${s.epoch} of ${s.epochs ?? 0}${loss}${right}, hash ${s.hash}, ${audit}.${last}`;
    // Said at once when the phase or a message changes; else every ten seconds, so that a reader can listen.
    const key = s.phase + last;
    if (text !== told && (key !== tell.key || performance.now() - toldAt > 10000)) {
      status.textContent = told = text;
      tell.key = key;
      toldAt = performance.now();
    }
  }

  function connect() {
    at('c-play').onclick = () => call('toggle');
    at('c-step').onclick = () => call('step');
    at('c-restart').onclick = () => call('restart');
    at('c-seed').onclick = () => call('new_seed');
    at('c-open').onclick = () => host.pick();
    at('c-session').onclick = () => call('download', 0);
    at('c-link').onclick = () => call('copy_link');
    at('c-continue').onclick = () => call('continue_kept');
    at('c-forget').onclick = () => call('forget_kept');
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'hidden') return;
      call('keep');
      for (const ms of [0, 300, 1500]) setTimeout(() => call('collect'), ms);
    });
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    call('calm', still.matches ? 1 : 0);
    still.addEventListener('change', () => call('calm', still.matches ? 1 : 0));
    connectTouch();
    at('file').onchange = (e) => {
      if (e.target.files.length > 0) giveFiles([...e.target.files].map((file) => ({file, name: file.name})));
      e.target.value = '';
      canvas.focus();
    };
    window.addEventListener('hashchange', () => {
      handled = location.hash;
      if (handled.length > 1 && handled !== shown) call('open_text', handled);
    });
    let depth = 0;
    const files = (e) => e.dataTransfer && [...e.dataTransfer.types].includes('Files');
    window.addEventListener('dragenter', (e) => { if (files(e)) { ++depth; at('drop').hidden = false; } });
    window.addEventListener('dragleave', (e) => { if (files(e) && --depth <= 0) { depth = 0; at('drop').hidden = true; } });
    window.addEventListener('dragover', (e) => { if (files(e)) e.preventDefault(); }, true);
    window.addEventListener('drop', (e) => {
      if (!files(e)) return;
      e.preventDefault();
      e.stopPropagation();
      depth = 0;
      at('drop').hidden = true;
      const plain = [...e.dataTransfer.files].map((file) => ({file, name: file.name}));
      const entries = [...e.dataTransfer.items].map((i) => i.webkitGetAsEntry && i.webkitGetAsEntry()).filter(Boolean);
      giveDropped(entries, plain);
    }, true);
    canvas.addEventListener('webglcontextlost', () =>
      explain('The graphics context was lost', 'Training goes on. The picture comes back when the browser gives the graphics back; if it does not, reload the page: its address holds the experiment.'));
    canvas.addEventListener('webglcontextrestored', () => { cover.hidden = true; });
    canvas.addEventListener('pointerdown', () => canvas.focus());
    setInterval(tell, 500);
    tell();
  }

  // Fingers, as the mouse that the window knows. One: a tap clicks; moving up and down scrolls what can scroll; any other
  // way drags. Two: pinching is the wheel between them.
  function connectTouch() {
    const slop = 9;  // CSS pixels that a tap may move
    const wheelUnit = Math.log(1 / 0.85);  // a step of the wheel makes a matrix this much larger (view_matrix.cpp)
    let mode = 'none', from = null, last = null, apart = 0;
    const mouse = (type, p, buttons) => canvas.dispatchEvent(new MouseEvent(type,
      {clientX: p.x, clientY: p.y, button: 0, buttons, bubbles: true, cancelable: true, view: window}));
    const point = (t) => ({x: t.clientX, y: t.clientY});
    const pair = (e) => {
      const [a, b] = [point(e.touches[0]), point(e.touches[1])];
      return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y))};
    };
    const handle = (e) => {
      if (e.target !== canvas) return;
      e.preventDefault();
      e.stopImmediatePropagation();
      if (e.touches.length === 2 && mode !== 'pinch') {
        if (mode === 'drag') mouse('mouseup', last, 0);
        mode = 'pinch';
        const p = pair(e);
        apart = p.apart;
        mouse('mousemove', p, 0);
      } else if (e.type === 'touchstart' && e.touches.length === 1) {
        canvas.focus();
        mode = 'tap';
        from = last = point(e.touches[0]);
        mouse('mousemove', from, 0);
      } else if (e.type === 'touchmove' && mode === 'pinch' && e.touches.length === 2) {
        const p = pair(e);
        const steps = Math.log(p.apart / apart) / wheelUnit;
        if (Math.abs(steps) < 0.1) return;
        apart = p.apart;
        mouse('mousemove', p, 0);
        canvas.dispatchEvent(new WheelEvent('wheel', {clientX: p.x, clientY: p.y, deltaY: -100 * steps, bubbles: true, cancelable: true}));
      } else if (e.type === 'touchmove' && e.touches.length === 1) {
        const p = point(e.touches[0]);
        if (mode === 'tap' && Math.hypot(p.x - from.x, p.y - from.y) > slop) {
          const upright = Math.abs(p.y - from.y) > Math.abs(p.x - from.x);
          mode = upright && module.ccall('dalea_can_scroll', 'number', [], []) ? 'scroll' : 'drag';
          if (mode === 'drag') mouse('mousedown', from, 1);
        }
        if (mode === 'drag') mouse('mousemove', p, 1);
        if (mode === 'scroll') call('scroll', last.y - p.y);
        last = p;
      } else if ((e.type === 'touchend' || e.type === 'touchcancel') && e.touches.length === 0) {
        if (mode === 'tap' && e.type === 'touchend') {
          mouse('mousedown', from, 1);
          mouse('mouseup', from, 0);
        } else if (mode === 'drag') {
          mouse('mouseup', last, 0);
        }
        mode = 'none';
      } else if (mode === 'pinch') {
        mode = 'pinched';  // the finger that is left moves nothing
      }
    };
    for (const type of ['touchstart', 'touchmove', 'touchend', 'touchcancel'])
      window.addEventListener(type, handle, {capture: true, passive: false});
  }

  // What the last visit left, unless the address names something else.
  async function offerKept() {
    try {
      const about = await stored('readonly', (store) => store.get('about'));
      if (!about || typeof about.name !== 'string') return;
      call('offer_kept', about.name, Number(about.epoch) || 0, about.finished ? 1 : 0);
    } catch { /* nothing can be kept here */ }
  }

  // ---- the service worker (web/service-worker.js): offline use, and isolation where the host sends no such headers.
  // A page without a build (served from the build's own folder) has none.
  const pageBuild = document.querySelector('meta[name="dalea-build"]').content;
  const versioned = (file) => (pageBuild ? `${file}?v=${pageBuild}` : file);
  const remember = {
    get reloads() { try { return Number(sessionStorage.getItem('dalea-reloads')) || 0; } catch { return 1; } },
    set reloads(n) { try { sessionStorage.setItem('dalea-reloads', String(n)); } catch { /* then it reads 1 */ } },
  };
  // True when the page is about to be loaded again, isolated; at most once in a row.
  async function startWorker() {
    if (!pageBuild || !navigator.serviceWorker || !self.isSecureContext) return false;
    const registered = navigator.serviceWorker.register('service-worker.js', {updateViaCache: 'none'})
      .then(() => navigator.serviceWorker.ready).then((r) => r.active).catch(() => null);  // null: the page works without
    if (self.crossOriginIsolated) {
      remember.reloads = 0;
      return false;
    }
    if (remember.reloads > 0) return false;
    remember.reloads = 1;
    if (remember.reloads !== 1) return false;
    const worker = await Promise.race([registered, new Promise((resolve) => setTimeout(resolve, 4000, null))]);
    if (!worker) return false;
    location.reload();
    return true;
  }
  // Asks it to keep what this page runs on.
  function keepOffline(files) {
    if (!pageBuild || !navigator.serviceWorker) return;
    navigator.serviceWorker.ready.then((r) => r.active && r.active.postMessage({keep: files.map(versioned)}));
  }

  async function fetchWithBar(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
    const total = Number(answer.headers.get('Content-Length')) || 0;
    const reader = answer.body.getReader();
    const parts = [];
    let got = 0;
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      parts.push(value);
      got += value.length;
      if (total > 0) at('cover-bar').value = Math.min(1, got / total);
    }
    return new Blob(parts).arrayBuffer();
  }

  async function start() {
    // Keys of the document's own controls are theirs; the window hears the others. Escape leaves the window. Before the
    // module, whose own listeners would take the Tab key away.
    for (const type of ['keydown', 'keypress', 'keyup'])
      window.addEventListener(type, (e) => {
        if (e.target !== canvas && e.target !== document.body) e.stopImmediatePropagation();
        else if (type === 'keydown' && e.key === 'Escape') at('c-play').focus();
      }, true);
    if (typeof WebAssembly !== 'object') {
      explain('This browser has no WebAssembly', 'Dalea needs it. Any current Firefox, Chrome, Edge or Safari has it; the command line needs no browser.');
      return;
    }
    if (!document.createElement('canvas').getContext('webgl2')) {
      explain('This browser has no WebGL 2', 'Dalea draws with it. Turn on hardware acceleration in the browser\'s settings, try another browser, or use the command line: ./run cli run assets/experiments/quickstart.json');
      return;
    }
    if (await startWorker()) return;
    const build = self.crossOriginIsolated && typeof SharedArrayBuffer === 'function' ? 'dalea-threads' : 'dalea-single';
    threads = build === 'dalea-threads';
    mostBytes = (threads ? 512 : 128) * 1024 * 1024;  // one thread stands still while numbers are read
    const startedWithout = location.hash.length <= 1;
    let layout = null, lastLink = null;
    try {
      layout = localStorage.getItem('dalea-layout');
      lastLink = localStorage.getItem('dalea-link');
    } catch { /* nothing is remembered here */ }
    try {
      const script = new Promise((resolve, reject) => {
        const element = document.createElement('script');
        element.src = versioned(`${build}.js`);
        element.onload = resolve;
        element.onerror = () => reject(new Error(`${build}.js could not be loaded`));
        document.head.append(element);
      });
      const [wasmBinary] = await Promise.all([fetchWithBar(versioned(`${build}.wasm`)), script]);
      module = await self.Dalea({canvas, host, wasmBinary, mainScriptUrlOrBlob: versioned(`${build}.js`), locateFile: versioned, onAbort: (what) => crashed(String(what))});
      module.ccall('dalea_start', null, ['string', 'number'], [location.hash.length > 1 ? location.hash : '', dark ? 1 : 0]);
      // A link from elsewhere opens the tab that it always opens; panels and their sizes are the user's.
      if (layout) call('restore_layout', layout, startedWithout || location.hash === lastLink ? 1 : 0);
    } catch (e) {
      explain('Dalea could not start', `${e && e.message ? e.message : e}. Reload the page; if it stays, use the command line.`);
      throw e;
    }
    connect();
    cover.hidden = true;
    canvas.focus();
    keepOffline([`${build}.js`, `${build}.wasm`, ...(build === 'dalea-threads' ? [`${build}.worker.js`] : [])]);
    if (startedWithout) offerKept();
    const bytes = () => module.HEAPU8.length;
    window.dalea = {build, bytes, state, call, frameMs: () => module.ccall('dalea_frame_ms', 'number', [], [])};
  }

  start();
})();
