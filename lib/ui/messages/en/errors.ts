export const errors = {
  notFoundTitle: 'There is nothing here',
  notFoundText:
    'The address may be wrong, or what it names is private and you cannot see it. Sign in with an account that can, or look for it by name.',
  goHome: 'Go to the home page',
  failedTitle: 'This page could not be shown',
  failedText:
    'Something went wrong on our side. Nothing of yours was changed. Try again; if it stays, give your administrator this code: {code}.',
} as const;
