import type {DataSettings} from '../../../core/sweep/sweep.ts';

/** Rows of chats, as a sweep file has them that says nothing else. */
export const chatSettings: DataSettings = {
  train: ['rows.jsonl'],
  format: 'messages',
  columns: {},
  template: 'plain',
  maxLength: 512,
  shuffle: false,
};
