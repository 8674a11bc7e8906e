export interface Reading {
  /** The only columns that matter, all of which are there: others may be left unread where that saves work. */
  columns?: readonly string[];
  /** Columns that matter where they are there. */
  optional?: readonly string[];
  /** Hears how many bytes of the files have been read, now and then. */
  bytesRead?: (bytes: number) => void;
}
