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
app-not-found-help = The address is wrong, or you may no longer see it.
app-to-inbox = To the inbox
app-navigation = Menu

dates-today = Today
dates-yesterday = Yesterday

## The connection

connection-offline = You have no internet. What you write is kept here and sent later.
connection-reconnecting = No connection. Trying again { $seconds ->
        [0] now
        [one] in one second
       *[other] in { $seconds } seconds
    }.
connection-connecting = Connecting …
connection-catching-up = Getting new messages …
connection-waiting = { $count ->
        [one] One message is waiting.
       *[other] { $count } messages are waiting.
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
login-own-device = This is my own phone or computer
login-own-device-help = You stay logged in and can read without internet. Leave it empty if others use it too.
login-submit = Log in
login-busy = Logging in …
login-first-time = First time here?
login-to-activate = Use your activation code
login-missing = Fill in both user name and password.
login-ended = You have been logged out. Log in again to go on.
login-outdated = You have an old version of Samtale. Close the page and open it again.
login-logged-out = You are logged out.

activate-title = Get started
activate-help = Find the sheet you got from the school. You choose the password that you will use from now on.
activate-code = Activation code
activate-code-help = Four times four characters, such as K7QM-2XWD-9RTF-H4VB
activate-new-password = Choose a password
activate-password-help = At least 10 characters. A short sentence is easy to remember.
activate-submit = Get started
activate-missing = Fill in all three fields.
activate-to-login = I already have a password

## The inbox

inbox-title = Inbox
inbox-new = Write
inbox-search = Search conversations
inbox-search-clear = Clear the search
inbox-search-none = No conversation matches “{ $search }”.
inbox-search-more = Search older conversations
inbox-search-stop = Stop
inbox-searching = Searching …
inbox-searched = { $count ->
        [one] One conversation was searched, back to { $date }.
       *[other] { $count } conversations were searched, back to { $date }.
    }
inbox-searched-all = { $count ->
        [one] Your one conversation was searched.
       *[other] All of your { $count } conversations were searched.
    }
inbox-searched-what = The search looks at subjects, names and the newest message.
inbox-empty = All quiet so far
inbox-empty-help = When someone writes to you, you see it here. You can also start a conversation yourself.
inbox-empty-filter = No conversations here
inbox-empty-filter-help = Choose something else above, or show all.
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
inbox-left = You are no longer in it
inbox-you = You: { $preview }
inbox-draft = Draft: { $preview }
inbox-recalled = The message was taken back
inbox-regarding = About { $names }
inbox-mute = Turn sound off
inbox-unmute = Turn sound on
inbox-mark = Add a mark
inbox-unmark = Remove the mark
inbox-actions = Choices for “{ $subject }”
inbox-filter = Choose which conversations you see
inbox-filter-all = All
inbox-filter-unread = Unread
inbox-filter-marked = Marked
inbox-pick = Choose a conversation
inbox-pick-help = Then it opens here. Arrow up and down move through the list.
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
thread-failed-drop = Delete
thread-read-by = { $count ->
        [one] Read by one
       *[other] Read by { $count }
    }
thread-read-by-all = Read by all
thread-edited = edited
thread-recalled = The message was taken back
thread-unknown-part = Here is something that your version of Samtale cannot show yet.
thread-answers = Reply to { $name }
thread-answers-unknown = Reply to an earlier message
thread-message-actions = Choices for the message from { $name } at { $time }
thread-answer = Reply to the message
thread-reply-to-sender = Write to { $name } only
thread-edit = Edit
thread-recall = Take back
thread-recall-title = Take the message back?
thread-recall-help = Nobody can see the text any more. It will say that the message was taken back.
thread-copy = Copy the text
thread-copied = The text is copied
thread-grew-out-of = Began as a reply to a message in another conversation
thread-see-original = See it
thread-details = About the conversation
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
thread-member-joined = Has been here since { $date }
thread-member-left = Not in it since { $date }
thread-member-remove = Remove { $name } from the conversation
thread-member-remove-title = Remove { $name } from the conversation?
thread-member-remove-help = { $name } can still read what was written until now.
thread-member-remove-submit = Remove
thread-online = Online now
thread-add = Add members
thread-add-from-now = They can see what is written from now on
thread-add-from-beginning = They can also see all that was written before
thread-add-from-help = Everyone in the conversation can see which you choose.
thread-add-submit = Add
thread-rename = Change the subject
thread-rename-submit = Save the subject
thread-leave = Leave the conversation
thread-leave-title = Leave the conversation?
thread-leave-help = You can still read what was written, but you get no more messages from here.
thread-leave-submit = Leave
thread-may-not-write = You can read here, but not write.
thread-no-longer-in-it = You are no longer in this conversation. You can read what was written until { $date }.
thread-gone = You can no longer see this conversation
thread-write = Write a message
thread-write-to-all = To all { $members }
thread-write-to-all-families = To all { $members } · { $families }
thread-send = Send
thread-save-edit = Save the change
thread-editing = You are editing your message
thread-answering = Reply to { $name }
thread-answering-alone = To { $name } only, in a conversation of your own
thread-too-long = The text is { $bytes } characters too long. Split it in two.
thread-typing-one = { $name } is writing …
thread-typing-two = { $first } and { $second } are writing …
thread-typing-many = Several are writing …
thread-arrived = { $name } wrote: { $preview }
thread-someone = A member
thread-new-line = New line: Shift + Enter

## Writing

compose-title = New conversation
compose-space = Write as
compose-to = To
compose-to-help = Search for a name or a class
compose-suggestions = Suggested recipients
compose-none = Nobody matches “{ $search }”
compose-remove = Remove { $name }
compose-group-all = Everyone in { $group }
compose-group-guardians = Parents in { $group }
compose-group-employees = Staff in { $group }
compose-group-children = Pupils in { $group }
compose-child-guardians = Parents of { $name }
compose-guardian-of = Parent of { $children }
compose-group-size = { $count ->
        [one] One person
       *[other] { $count } people
    }
compose-subject = Subject
compose-regarding = Who is it about?
compose-regarding-help = So that everyone can see which child it concerns.
compose-text = Message
compose-submit = Send
compose-missing-choice = “{ $search }” is not chosen yet. Choose from the list, or delete what you typed.
compose-missing-to = Choose at least one recipient.
compose-missing-subject = Write a subject.
compose-missing-text = Write a message.
compose-not-allowed = You cannot write to { $name }
compose-queued = The message is kept and will be sent as soon as there is a connection.
compose-sending = Sending …
compose-discard = Throw away
compose-offline = You can find recipients once you have a connection.
compose-chosen = { $count ->
        [0] No recipients chosen
        [one] One recipient chosen
       *[other] { $count } recipients chosen
    }

rule-municipality-forbids = The municipality has decided that { $from } cannot start a conversation with { $to }.
rule-institution-forbids = The school has decided that { $from } cannot start a conversation with { $to }.
rule-not-visible = You cannot write to the one you chose. Ask the school if you think you should be able to.
rule-groups-are-for-staff = Only staff can write to a whole group. Choose people one by one instead.
rule-has-left = This person is no longer at the school.
rule-nobody-there = There is nobody to write to here yet.
rule-other = The rules do not allow it. Ask the school if you are in doubt.

profiles-none = You have no profile here
profiles-none-help = The school has not given you a place yet, or you no longer have it. Ask the school office if that is a mistake.

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
        [one] One is not shown: it is from before or after you were in it.
       *[other] { $count } are not shown: they are from before or after you were in it.
    }
withheld-unreadable = { $count ->
        [one] One cannot be read.
       *[other] { $count } cannot be read.
    }

## Settings

settings-title = Settings
settings-language = Language
settings-theme = Appearance
settings-theme-system = Automatic
settings-theme-light = Light
settings-theme-dark = Dark
settings-presence = Online
settings-presence-visible = Show when I am online
settings-presence-help = When it is off, nobody can see whether you are here. It holds wherever you are logged in.
settings-logins = Where you are logged in
settings-logins-help = If you do not know one of the places, log out there and tell the school.
settings-login-current = You are here now
settings-login-since = Since { $date }
settings-login-end = Log out there
settings-login-end-title = Log out “{ $client }”?
settings-login-end-help = One must log in again to use Samtale there.
settings-log-out = Log out
settings-log-out-title = Log out?
settings-log-out-help = What is kept here is deleted. The school still has all the messages, and you see them again when you log in.
settings-log-out-waiting = { $count ->
        [one] One message is not sent yet and will be lost.
       *[other] { $count } messages are not sent yet and will be lost.
    }
settings-log-out-offline = There is no connection, so you are only logged out here.
settings-profiles = Your profiles
settings-accessibility = Accessibility statement
settings-version = Samtale { $version }

## Errors: what is wrong, and what one can do

error-offline = There is no connection. Try again when you have internet.
error-timed-out = Samtale did not answer. Try again shortly.
error-bad-request = That did not work. Close the page, open it again and try once more.
error-too-large = That is too long. Make it shorter and try again.
error-not-permitted = You may not do that. Ask the school if you think you should.
error-client-id-reused = The message could not be sent. Copy the text and write it again.
error-storage-full = There is no room for more messages. You can read, and what you write is kept here. Tell the school.
error-storage-unavailable = Nothing can be saved right now. Try again shortly.
error-keys-unavailable = The messages cannot be opened right now. What you write is kept here.
error-wrong-credentials = The user name or the password is wrong. Try again, or get a new code from the school.
error-disabled = Your access is closed. Contact the school.
error-invalid-token = You have been logged out. Log in again.
error-invalid-activation-code = The code is wrong, used or too old. Ask the school for a new one.
error-weak-password = The password is too short, too long or too easy to guess. Choose another.
error-outbox = Your phone or computer cannot keep what you write. Make room, or turn private browsing off.
error-unknown = Something went wrong. Try again.
