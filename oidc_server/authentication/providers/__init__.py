"""Sign-in with another provider.

Read `start` (the browser leaves), `callback` (it comes back), then `newcomer` (nobody here knows
who came) and `connecting`. `offered` has the buttons of the login page.
"""
