import { headers } from 'next/headers';
import { notFound, permanentRedirect } from 'next/navigation';
import { isHubError } from '#lib/base/errors.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { movedPage } from './moved-page.ts';

/**
 * Waits for what a page shows. What does not exist, what the reader may not see and an address that means nothing
 * all end in the same page: "there is nothing here". A repo that has moved leads to the same page of where it
 * is. Everything else is a failure and stays one.
 */
export async function orNotFound<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isHubError(error) && error.code === 'moved')
      permanentRedirect(
        movedPage((await headers()).get('x-asked-for') ?? '', error.details as unknown as RepoRef),
      );
    if (isHubError(error) && error.status >= 400 && error.status < 500) notFound();
    throw error;
  }
}
