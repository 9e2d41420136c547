// Loads the build that this page can run, and connects the window (web/platform_web.cpp) with the browser: address bar,
// files, clipboard, and the controls for keyboards and screen readers.
'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const canvas = at('canvas'), cover = at('cover'), status = at('status');
  const mostBytes = 128 * 1024 * 1024;
  let module = null;

  const explain = (title, text) => {
    cover.hidden = false;
    at('cover-bar').hidden = true;
    at('cover-text').textContent = text;
    cover.querySelector('h1').textContent = title;
    status.textContent = `${title}. ${text}`;
  };

  const setTheme = (dark) => { document.documentElement.dataset.theme = dark ? 'dark' : 'light'; };
  const remembered = () => { try { return localStorage.getItem('dalea-theme'); } catch { return null; } };
  const dark = remembered() ? remembered() === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  setTheme(dark);

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
      clearTimeout(writing);
      writing = setTimeout(() => {
        if (location.hash === shown || location.hash !== handled) return;
        history.replaceState(null, '', shown);
        handled = shown;
      }, 250);
    },
    fetchDigits() { fetchDigits(); },
    theme(isDark) {
      setTheme(isDark);
      try { localStorage.setItem('dalea-theme', isDark ? 'dark' : 'light'); } catch { /* not remembered */ }
    },
  };

  const call = (name, ...values) =>
    module.ccall(`dalea_${name}`, null, values.map((v) => (typeof v === 'string' ? 'string' : 'number')), values);
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

  async function giveFile(file) {
    if (file.size > mostBytes) {
      say(true, `${file.name} has ${Math.round(file.size / 1048576)} MB; the page takes files of at most 128 MB. ` +
        'The command line takes larger ones: ./run cli run assets/experiments/recording.json --set recording.file=FILE');
      return;
    }
    let bytes;
    try {
      bytes = new Uint8Array(await file.arrayBuffer());
    } catch (e) {
      say(true, `${file.name} cannot be read: ${e.message}`);
      return;
    }
    give('give_file', file.name, bytes);
  }

  // ---- status and controls in the document
  let told = '';
  let toldAt = 0;
  function tell() {
    const s = state();
    const play = at('c-play');
    play.textContent = s.running ? 'Stop' : s.finished ? 'Train again' : 'Start';
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
    at('file').onchange = (e) => {
      for (const file of e.target.files) giveFile(file);
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
      for (const file of e.dataTransfer.files) giveFile(file);
    }, true);
    canvas.addEventListener('webglcontextlost', () =>
      explain('The graphics context was lost', 'Training goes on. The picture comes back when the browser gives the graphics back; if it does not, reload the page: its address holds the experiment.'));
    canvas.addEventListener('webglcontextrestored', () => { cover.hidden = true; });
    canvas.addEventListener('pointerdown', () => canvas.focus());
    setInterval(tell, 500);
    tell();
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
    const build = self.crossOriginIsolated && typeof SharedArrayBuffer === 'function' ? 'dalea-threads' : 'dalea-single';
    try {
      const script = new Promise((resolve, reject) => {
        const element = document.createElement('script');
        element.src = `${build}.js`;
        element.onload = resolve;
        element.onerror = () => reject(new Error(`${build}.js could not be loaded`));
        document.head.append(element);
      });
      const [wasmBinary] = await Promise.all([fetchWithBar(`${build}.wasm`), script]);
      module = await self.Dalea({canvas, host, wasmBinary, mainScriptUrlOrBlob: `${build}.js`});
      module.ccall('dalea_start', null, ['string', 'number'], [location.hash.length > 1 ? location.hash : '', dark ? 1 : 0]);
    } catch (e) {
      explain('Dalea could not start', `${e && e.message ? e.message : e}. Reload the page; if it stays, use the command line.`);
      throw e;
    }
    connect();
    cover.hidden = true;
    canvas.focus();
    window.dalea = {build, state, call, frameMs: () => module.ccall('dalea_frame_ms', 'number', [], [])};
  }

  start();
})();
