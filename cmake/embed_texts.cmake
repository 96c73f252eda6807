# Writes files as C++ raw string literals behind their names: {"prosody/packetboat.cfg.lua", R"text(...)text"},
set(text "")
string(REPLACE " " ";" files "${FILES}")
foreach(file IN LISTS files)
    file(READ ${ROOT}/${file} content)
    string(APPEND text "{\"${file}\", R\"text(${content})text\"},\n")
endforeach()
file(WRITE ${OUT} "${text}")
