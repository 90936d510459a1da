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

/** Items stored in one transaction. */
const BATCH = 500;

export async function importBank(
  parts: { store: Store; collection: Collection; yieldToRequests: () => Promise<void> },
  bank: BankSource,
  { signal, report }: Progress,
) {
  report({ total: bank.items.length });
  for (let at = 0; at < bank.items.length; at += BATCH) {
    signal.throwIfAborted();
    const items = bank.items.slice(at, at + BATCH).map((item, i) => newItem(bank, item, at + i));
    const { rows, replaced } = parts.store.put(items);
    parts.collection.add(
      rows,
      items.map(({ vector }) => vector),
      items.map(({ label }) => label),
    );
    parts.collection.remove(replaced); // after the new rows: one of them may have been replaced at once
    report({ done: at + items.length });
    await parts.yieldToRequests();
  }
  return { bank: bank.name, embedded: 0, imported: bank.items.length };
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
