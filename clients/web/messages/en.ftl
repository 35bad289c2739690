# English texts. Keys begin with the capability that they belong to. The same keys are in da.ftl.

## The whole app

app-name = Samtale
app-skip-to-content = Skip to content
app-loading = Opening …
app-close = Close
app-cancel = Cancel
app-back = Back
app-retry = Try again
app-not-found = There is no such page
app-not-found-help = The address is wrong, or you may no longer see what it points to.
app-to-inbox = To the inbox
app-navigation = Parts of Samtale

dates-today = Today
dates-yesterday = Yesterday

## The connection

connection-offline = You are offline. What you write is kept here and sent when you are back.
connection-reconnecting = No connection right now. Trying again { $seconds ->
        [0] now
        [one] in one second
       *[other] in { $seconds } seconds
    }.
connection-connecting = Connecting …
connection-catching-up = Getting what you have missed …
connection-waiting = { $count ->
        [one] One message is waiting to be sent.
       *[other] { $count } messages are waiting to be sent.
    }
connection-try-now = Try now
connection-new-version = There is a new version of Samtale.
connection-take-new-version = Get it

## Logging in

login-title = Log in
login-welcome = The school’s conversations, here and now
login-username = User name
login-password = Password
login-show-password = Show password
login-hide-password = Hide password
login-own-device = This is my own device
login-own-device-help = You stay logged in, and the inbox opens without a connection. Leave it off on shared tablets and computers.
login-submit = Log in
login-busy = Logging in …
login-first-time = First time here?
login-to-activate = Use your activation code
login-missing = Fill in both user name and password.
login-ended = You were logged out because this login has ended. Log in again to go on.
login-outdated = This version of Samtale is too old for the server. Reload the page.
login-logged-out = You are logged out.

activate-title = Get started
activate-help = Use the sheet you got from the school. You choose the password that you will use from now on.
activate-code = Activation code
activate-code-help = Four groups of four characters, such as K7QM-2XWD-9RTF-H4VB
activate-new-password = Choose a password
activate-password-help = At least 10 characters. A short sentence is the easiest to remember.
activate-submit = Get started
activate-missing = Fill in all three fields.
activate-to-login = I already have a password

## The inbox

inbox-title = Inbox
inbox-new = New conversation
inbox-search = Search conversations
inbox-search-clear = Clear the search
inbox-search-none = No conversation matches “{ $search }”.
inbox-search-more = Search older conversations
inbox-searching = Searching older conversations …
inbox-empty = All quiet here
inbox-empty-help = When someone writes to you, it comes here. You can start a conversation yourself, too.
inbox-empty-filter = No conversations here
inbox-empty-filter-help = Choose another in the row above, or show all.
inbox-show-all = Show all
inbox-loading = Getting your conversations …
inbox-more = Show older conversations
inbox-unread = { $count ->
        [one] One unread
       *[other] { $count } unread
    }
inbox-unread-many = 50 or more unread
inbox-muted = Muted
inbox-marked = Marked
inbox-left = Left
inbox-you = You: { $preview }
inbox-draft = Draft: { $preview }
inbox-recalled = The message was recalled
inbox-regarding = About { $names }
inbox-mute = Mute
inbox-unmute = Unmute
inbox-mark = Mark
inbox-unmark = Remove the mark
inbox-actions = Actions for “{ $subject }”
inbox-filter = Show conversations for
inbox-filter-all = All
inbox-filter-unread = Unread
inbox-filter-marked = Marked
inbox-pick = Choose a conversation
inbox-pick-help = It opens here. Arrow up and down move through the list.
inbox-no-subject = No subject

## A conversation

thread-loading = Getting the conversation …
thread-older-loading = Getting older messages …
thread-beginning = The conversation began { $date }
thread-new = New since last time
thread-new-below = { $count ->
        [one] One new message
       *[other] { $count } new messages
    }
thread-to-newest = Go to the newest
thread-log = Messages in “{ $subject }”
thread-you = You
thread-queued = Waiting for a connection
thread-sending = Sending …
thread-sent = Sent
thread-failed = Not sent
thread-failed-again = Try again
thread-failed-keep = Move to the writing field
thread-failed-drop = Delete
thread-read-by = { $count ->
        [one] Read by one
       *[other] Read by { $count }
    }
thread-read-by-all = Read by all
thread-edited = edited
thread-recalled = The message was recalled
thread-unknown-part = Here is something that needs a newer version of Samtale.
thread-answers = Answer to { $name }
thread-answers-unknown = Answer to an earlier message
thread-message-actions = Actions for the message from { $name } at { $time }
thread-answer = Answer this
thread-reply-to-sender = Reply to { $name } only
thread-edit = Edit
thread-recall = Recall
thread-recall-title = Recall the message?
thread-recall-help = The text disappears for everyone. It will say that a message was recalled.
thread-copy = Copy the text
thread-copied = The text is copied
thread-grew-out-of = Began as a reply to a message in another conversation
thread-see-original = See it
thread-details = Members and settings
thread-members-count = { $count ->
        [one] One member
       *[other] { $count } members
    }
thread-members-more = Show more members
thread-families = { $count ->
        [one] one family
       *[other] { $count } families
    }
thread-member-read-all = Has read everything
thread-member-read-to = Has read up to { $date }
thread-member-read-none = Has not read yet
thread-member-joined = Here since { $date }
thread-member-left = Left { $date }
thread-member-remove = Remove { $name }
thread-member-remove-title = Remove { $name } from the conversation?
thread-member-remove-help = { $name } can still read what was written until now.
thread-member-remove-submit = Remove
thread-online = Online now
thread-add = Add members
thread-add-from-now = They see the conversation from now on
thread-add-from-beginning = They see the conversation from the beginning
thread-add-from-help = Everyone in the conversation can see which you choose.
thread-add-submit = Add
thread-rename = Change the subject
thread-rename-submit = Save the subject
thread-leave = Leave the conversation
thread-leave-title = Leave the conversation?
thread-leave-help = You can still read what was written until now, but you hear nothing more.
thread-leave-submit = Leave
thread-may-not-write = You can read here, but not write.
thread-you-left = You left the conversation { $date }.
thread-gone = You may no longer see this conversation.
thread-write = Write a message
thread-write-to-all = To all { $members }
thread-write-to-all-families = To all { $members } · { $families }
thread-send = Send
thread-save-edit = Save the change
thread-editing = You are editing your message
thread-answering = Answer to { $name }
thread-answering-alone = To { $name } only, in a conversation of your own
thread-too-long = The text is { $bytes } characters too long. Split it in two.
thread-typing-one = { $name } is writing …
thread-typing-two = { $first } and { $second } are writing …
thread-typing-many = Several are writing …
thread-arrived = { $name } wrote: { $preview }
thread-someone = A member
thread-new-line = Shift and Enter begins a new line

## Writing

compose-title = New conversation
compose-space = From
compose-to = To
compose-to-help = Search for a name or a class
compose-suggestions = Suggested recipients
compose-none = Nobody matches “{ $search }”
compose-remove = Remove { $name }
compose-group-all = Everyone in { $group }
compose-group-guardians = Parents in { $group }
compose-group-employees = Staff in { $group }
compose-group-children = Children in { $group }
compose-child-guardians = Parents of { $name }
compose-guardian-of = Parent of { $children }
compose-group-size = { $count ->
        [one] One person
       *[other] { $count } people
    }
compose-subject = Subject
compose-regarding = About
compose-regarding-help = So that all can see which child it concerns
compose-text = Message
compose-submit = Send
compose-missing-to = Choose at least one recipient.
compose-missing-subject = Write a subject.
compose-missing-text = Write a message.
compose-not-allowed = You cannot write to { $name }
compose-queued = The message is kept and will be sent as soon as there is a connection.
compose-sending = Sending …
compose-discard = Discard
compose-offline = Recipients can be searched for once there is a connection.
compose-chosen = { $count ->
        [0] No recipients chosen
        [one] One recipient chosen
       *[other] { $count } recipients chosen
    }

rule-municipality-forbids = The municipality has decided that { $from } cannot start a conversation with { $to }.
rule-institution-forbids = The school has decided that { $from } cannot start a conversation with { $to }.
rule-not-visible = You cannot see whom you want to write to. Ask the school if you think you should.
rule-groups-are-for-staff = Only staff can write to a whole group. Choose the people instead.
rule-has-left = This person is no longer at the school.
rule-nobody-there = There is nobody to write to here yet.
rule-other = The rules do not allow it. Ask the school.

role-child = Pupil
role-guardian = Parent
role-employee = Staff
role-institution-admin = Administrator
role-municipality-admin = Municipal administrator
role-children = pupils
role-guardians = parents
role-employees = staff
role-admins = administrators

group-class = Class
group-team = Team
group-custom = Group

withheld-name-protected = { $count ->
        [one] One is not shown: the name is protected.
       *[other] { $count } are not shown: the names are protected.
    }
withheld-not-permitted = { $count ->
        [one] One is not shown: your role does not give access.
       *[other] { $count } are not shown: your role does not give access.
    }
withheld-outside-membership = { $count ->
        [one] One is not shown: it is from before you came or after you left.
       *[other] { $count } are not shown: they are from before you came or after you left.
    }
withheld-unreadable = { $count ->
        [one] One cannot be read.
       *[other] { $count } cannot be read.
    }

## Settings

settings-title = Settings
settings-language = Language
settings-theme = Appearance
settings-theme-system = As the device
settings-theme-light = Light
settings-theme-dark = Dark
settings-presence = Online
settings-presence-visible = Show when I am online
settings-presence-help = Holds for all your devices. When it is off, nobody can see whether you are here.
settings-logins = Where you are logged in
settings-logins-help = If you do not know one of them, log it out and change your password.
settings-login-current = This device
settings-login-since = Since { $date }
settings-login-end = Log out there
settings-login-end-title = Log out “{ $client }”?
settings-login-end-help = That device must log in again to go on.
settings-log-out = Log out
settings-log-out-title = Log out?
settings-log-out-help = Everything about you is deleted from this device.
settings-log-out-waiting = { $count ->
        [one] One message is not sent yet and will be lost.
       *[other] { $count } messages are not sent yet and will be lost.
    }
settings-log-out-offline = There is no connection, so the server learns only later that you are logged out.
settings-profiles = Your profiles
settings-accessibility = Accessibility statement
settings-version = Samtale { $version }

## Errors: what is wrong, and what one can do

error-offline = There is no connection. Try again when you are online.
error-timed-out = The server did not answer. Try again shortly.
error-bad-request = The server could not understand that. Reload the page and try again.
error-too-large = That is too long. Make it shorter and try again.
error-not-found = It does not exist, or you may no longer see it.
error-not-permitted = You may not do that. Ask the school if you think you should.
error-client-id-reused = Something went wrong while sending. Copy the text and write it again.
error-recalled = The message was recalled and cannot be changed.
error-conflict = Someone else changed the same thing meanwhile. Have a look and try again.
error-too-many = That was a little too fast. Wait a moment and try again.
error-overloaded = The server is too busy right now. Try again shortly.
error-storage-full = The server has no more room. You can read, and what you write is kept here. Tell the school.
error-storage-unavailable = The server cannot save right now. Try again shortly.
error-keys-unavailable = The server cannot open the messages right now. What you write is kept here.
error-wrong-credentials = User name or password is wrong. Try again, or get a new code from the school.
error-disabled = The account is closed. Contact the school.
error-invalid-token = Your login is no longer valid. Log in again.
error-invalid-activation-code = The code is wrong, used or expired. Ask the school for a new one.
error-weak-password = The password is too short, too long or too well known. Choose another.
error-internal = Something went wrong on the server. Try again shortly.
error-outbox = The device cannot keep messages, so they cannot be sent safely. Make room, or turn private browsing off.
error-unknown = Something went wrong. Try again.
