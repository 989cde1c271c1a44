/** Larger files are not compared line by line on pages: nobody reads such a diff. */
export const MAX_TEXT_BYTES = 1024 * 1024;
