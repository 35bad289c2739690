# What a person reads when something cannot be done. One sentence for each error code.

error-bad-request = Something in the request is not valid.
error-too-large = That is too large.
error-not-found = It does not exist, or you do not have access to it.
error-not-permitted = You are not allowed to do that.
error-clock-ahead = The clock of the device is wrong.
error-restamp = The message was not sent. It is being sent again.
error-client-id-reused = The message was already sent with other content.
error-recalled = The message has been recalled.
error-conflict = Someone else changed it in the meantime.
error-too-many = That was a little too fast. Try again shortly.
error-overloaded = It is very busy right now. Try again shortly.
error-storage-full = The server has no more room. The message was not sent.
error-storage-unavailable = The server does not answer right now. Try again.
error-keys-unavailable = The keys to the data are not available right now.
error-wrong-credentials = The user name or the password is wrong.
error-disabled = The account is closed.
error-invalid-token = Log in again.
error-invalid-activation-code = The activation code is wrong, used or has run out. Ask for a new one.
error-weak-password = Choose a better password: at least 10 characters.
error-internal = Something went wrong on the server.
