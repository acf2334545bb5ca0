"""What `--dev` adds: the mails that would have been sent, and an app to try.

`mailbox` keeps mails and shows them. `app` is a small relying party that signs in at this very
server, through the browser and over HTTP as any app would; `relying_party` is its protocol. Both
keep what they know in files (`records`), so that several workers see the same.
"""
