/**
 * The search page: a picture dropped, chosen or pasted goes to `POST /v1/search`, the answer becomes bars and
 * a grid; a neighbour that is clicked is searched for in turn, under an address of its own (`?id=`). No framework;
 * texts from the server are only ever set as text.
 */
import {
  type Asked,
  type Found,
  fetchInfo,
  fetchSearch,
  fetchThumbnail,
  Problem,
  type SearchAnswer,
  setKey,
  thumbnailOf,
} from './api.js';

const element = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

const drop = element('drop');
const file = element<HTMLInputElement>('file');
const preview = element<HTMLImageElement>('preview');
const keyForm = element<HTMLFormElement>('key-form');
const key = element<HTMLInputElement>('key');

/** Only the newest search may write to the page. */
let running = new AbortController();
/** What waits for a key, to be done again with it. */
let last: Asked | undefined;
let blobs: string[] = [];

const blobUrl = (blob: Blob): string => {
  const url = URL.createObjectURL(blob);
  blobs.push(url);
  return url;
};

async function search(asked: Asked): Promise<void> {
  last = asked;
  running.abort();
  running = new AbortController();
  const { signal } = running;
  clear();
  showQuery(asked, signal);
  say('Searching…');
  const started = performance.now();
  try {
    const answer = await fetchSearch(asked, signal);
    if (signal.aborted) return;
    show(answer, signal);
    say(summary(answer, performance.now() - started));
  } catch (thrown) {
    if (!signal.aborted) fail(thrown);
  }
}

function clear(): void {
  for (const url of blobs) URL.revokeObjectURL(url);
  blobs = [];
  for (const id of ['labels', 'verdict', 'neighbours', 'error']) element(id).replaceChildren();
  for (const id of ['labels-title', 'neighbours-title']) element(id).hidden = true;
}

function showQuery(asked: Asked, signal: AbortSignal): void {
  preview.hidden = false;
  if ('picture' in asked) preview.src = blobUrl(asked.picture);
  else void showThumbnail(preview, thumbnailOf(asked.id), signal);
}

async function showThumbnail(image: HTMLImageElement, path: string, signal: AbortSignal): Promise<void> {
  try {
    image.src = blobUrl(await fetchThumbnail(path, signal));
  } catch {
    image.alt = 'no preview';
  }
}

function show({ body }: Found, signal: AbortSignal): void {
  element('labels-title').hidden = body.labels.length === 0;
  element('neighbours-title').hidden = body.neighbours.length === 0;
  element('verdict').textContent = verdict(body);
  element('labels').append(...body.labels.slice(0, 6).map(labelBar));
  element('neighbours').append(...body.neighbours.map((one) => neighbourCard(one, signal)));
}

/** A nearest picture below this percentile is farther away than nearly any picture of the collection is from its next. */
const FAR = 5;

/** In words, what bars cannot say: that it is not sure, or that nothing is alike. */
function verdict({ abstained, labels, neighbours }: SearchAnswer): string {
  const nearest = neighbours[0]?.percentile;
  if (nearest !== undefined && nearest < FAR) return 'Nothing in this collection looks much like it.';
  return abstained && labels.length > 0 ? 'Only a guess: not sure enough to name a label.' : '';
}

/** By the calibrated probability where there is one, else by the share of the vote. */
function labelBar({ label, share, probability = share }: SearchAnswer['labels'][number]): HTMLElement {
  const bar = make('div', { className: 'bar' }, make('span'));
  (bar.firstElementChild as HTMLElement).style.width = `${probability * 100}%`;
  return make('li', { className: 'label' }, label, make('span', {}, percent(probability)), bar);
}

type Neighbour = SearchAnswer['neighbours'][number];

function neighbourCard({ id, label, score, thumbnail }: Neighbour, signal: AbortSignal): HTMLElement {
  const image = make('img', { alt: label ?? id }) as HTMLImageElement;
  void showThumbnail(image, thumbnail, signal);
  const title = make('b', {}, label ?? 'no label', make('span', { className: 'score' }, score.toFixed(3)));
  const facts = make('div', {}, title, make('small', {}, id));
  const link = make('a', { href: addressOf(id), title: 'Search for pictures like this one' }, image, facts);
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    history.pushState(null, '', addressOf(id));
    window.scrollTo(0, 0);
    void search({ id });
  });
  return make('li', {}, link);
}

const addressOf = (id: string): string => `?${new URLSearchParams({ id })}`;

/** What the page's address asks for; nothing when it is the plain page. */
function searchAddress(): void {
  const id = new URLSearchParams(location.search).get('id');
  if (id !== null) return void search({ id });
  running.abort();
  clear();
  say('');
  preview.hidden = true;
  last = undefined;
}

function summary({ body, serverMs }: Found, ms: number): string {
  const { rows, exact, mode } = body.index;
  const how = exact ? 'exact' : mode;
  const twin = body.query.kind === 'image' ? body.query.duplicate_of[0] : undefined;
  const known = twin === undefined ? '' : ` This very file is in the collection as ${twin}.`;
  const server = serverMs === undefined ? '' : ` (${serverMs.toFixed(0)} ms in the server)`;
  return `${body.neighbours.length} of ${count(rows)} pictures in ${ms.toFixed(0)} ms${server}, ${how}.${known}`;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
const count = (rows: number): string => rows.toLocaleString('en');

function say(text: string): void {
  element('status').textContent = text;
}

function fail(thrown: unknown): void {
  say('');
  if (thrown instanceof Problem && thrown.status === 401) {
    keyForm.hidden = false;
    key.focus();
  }
  element('error').textContent = thrown instanceof Error ? sentence(thrown.message) : 'The search failed.';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** An element with properties and children; strings become text, never markup. */
function make(
  tag: string,
  properties: Partial<HTMLImageElement & HTMLAnchorElement> = {},
  ...children: (Node | string)[]
): HTMLElement {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function greet(): Promise<void> {
  const info = await fetchInfo();
  element('collection').textContent = `${count(info.bank.rows)} pictures, ${count(info.bank.labels)} labels`;
}

function take(list: FileList | null | undefined): void {
  const first = list?.[0];
  if (!first) return;
  if (location.search !== '') history.pushState(null, '', location.pathname);
  void search({ picture: first });
}

file.addEventListener('change', () => {
  take(file.files);
  file.value = ''; // so that the same file can be chosen again
});
document.addEventListener('paste', (event) => take(event.clipboardData?.files));
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault(); // or the browser would leave the page for the file
  drop.classList.remove('over');
  take(event.dataTransfer?.files);
});
keyForm.addEventListener('submit', (event) => {
  event.preventDefault();
  setKey(key.value);
  key.value = '';
  keyForm.hidden = true;
  element('error').replaceChildren();
  greet().catch(fail);
  if (last) void search(last);
});
window.addEventListener('popstate', searchAddress);
greet().catch(fail);
searchAddress();
