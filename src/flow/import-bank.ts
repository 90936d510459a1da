import type { BankItem } from '../core/manifests.js';
import type { Store } from '../core/ports.js';
import type { NewItem } from '../core/types.js';
import type { Collection } from './collection.js';
import type { Progress } from './jobs.js';

/** A ready bank into the collection: vectors that were made elsewhere by the same model. */
export interface BankSource {
  name: string;
  vectors: Float32Array; // items.length x dimension
  items: readonly BankItem[];
  /** An item's `source` as an absolute path; null when the pictures are not at hand. */
  resolveSource: (source: string) => string | null;
}

/** One transaction: after kill -9 all of it is there or none, so rows that are there are never half a bank. */
export async function importBank(
  parts: { store: Store; collection: Collection },
  bank: BankSource,
  { signal, report }: Progress,
) {
  signal.throwIfAborted();
  report({ total: bank.items.length });
  const items = bank.items.map((item, i) => newItem(bank, item, i));
  const { rows, replaced } = parts.store.put(items);
  parts.collection.add(
    rows,
    items.map(({ vector }) => vector),
    items.map(({ label }) => label),
  );
  parts.collection.remove(replaced); // after the new rows: one of them may have been replaced at once
  report({ done: items.length });
  return { bank: bank.name, embedded: 0, imported: items.length };
}

function newItem(bank: BankSource, item: BankItem, position: number): NewItem {
  const dimension = bank.vectors.length / bank.items.length;
  return {
    id: item.id,
    label: item.label ?? null,
    sha256: item.sha256,
    source: item.source === undefined ? null : bank.resolveSource(item.source),
    metadata: item.metadata ?? {},
    vector: bank.vectors.slice(position * dimension, (position + 1) * dimension),
  };
}
