# What `cmake --install` puts where. The Debian package is made of the same files.
include(GNUInstallDirs)

install(TARGETS packetboat RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES examples/systemd/packetboat.service examples/systemd/packetboat.socket DESTINATION /lib/systemd/system)
file(GLOB PAGES CONFIGURE_DEPENDS docs/man/*.8)
install(FILES ${PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/man/packetboat.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)

install(FILES packaging/completion/packetboat.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME packetboat)
install(FILES packaging/completion/_packetboat DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES packaging/completion/packetboat.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The folders are as in the source tree, so that links from one document to another lead somewhere.
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs
        PATTERN man EXCLUDE
        # For who works on the program.
        PATTERN "standards.*" EXCLUDE PATTERN "benchmarks.*" EXCLUDE PATTERN performance.md EXCLUDE)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        # Installed above; and the demo, which needs the source tree.
        PATTERN systemd EXCLUDE PATTERN two-domains EXCLUDE
        # The one that is a program.
        PATTERN unmark EXCLUDE)
install(PROGRAMS examples/opensmtpd/unmark DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/opensmtpd)

# It holds a secret once it is edited; and what is there already is the administrator's.
install(CODE "set(example \"${PROJECT_SOURCE_DIR}/examples/packetboat.conf\")")
install(CODE [[
    if(EXISTS "$ENV{DESTDIR}/etc/packetboat/packetboat.conf")
        message(STATUS "Kept as it is: $ENV{DESTDIR}/etc/packetboat/packetboat.conf")
    else()
        file(INSTALL ${example} DESTINATION /etc/packetboat PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
    endif()
]])
