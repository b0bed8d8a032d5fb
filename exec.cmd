@rem Windows has no exec, which "npm start" asks the shell for elsewhere: there it is what lets npm's SIGTERM reach the gateway.
@%*
