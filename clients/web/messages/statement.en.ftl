# The accessibility statement. It is fetched only when it is shown.

statement-title = Accessibility statement
statement-intro = Everyone should be able to use Samtale: with a mouse, a finger or a keyboard, with large letters, and when the page is read aloud.
statement-aim = What we aim at
statement-aim-standard = Samtale follows WCAG 2.2 at level AA and the European standard EN 301 549, version 3.2.1. Those are the rules that the law points to.
statement-tested = How it was tested
statement-tested-axe = Every screen was checked with the tool axe, in light and in dark.
statement-tested-keyboard = Logging in, reading, answering and starting a conversation work with the keyboard alone.
statement-tested-zoom = The page can be enlarged to 400 % without scrolling sideways.
statement-tested-sight = Colours and text stand out clearly, and nothing is told by colour alone.
statement-gaps = What is missing
statement-gaps-people = People who use a screen reader every day have not tried Samtale yet. There may be faults that tools do not find.
statement-gaps-browsers = The tests were made in Chromium. They have not been made in Safari and Firefox yet.
statement-gaps-messages = The messages are written by people. We cannot promise that they are easy to read.
statement-contact = Is there something you cannot use?
statement-contact-school = Write to or call your school. The school or the municipality runs Samtale here, and can help you and mend what is wrong.
statement-contact-authority = If you get no good answer, you can turn to the Danish Agency for Digital Government, which supervises this in Denmark.
statement-whose = We who make Samtale wrote this. The school or the municipality may have a statement of its own besides.
