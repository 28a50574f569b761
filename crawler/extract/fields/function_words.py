"""The commonest words of languages in Latin, Cyrillic and Devanagari letters: they tell them apart. Data only."""

from __future__ import annotations

LATIN = {
    "en": "the of and to in that for is was with on as by at from it his be he are which this had not have were but"
    " they"
    " their has its who been would will said there when what more one after about into than",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er"
    " hat"
    " dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis",
    "fr": "de la le les et des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ont été"
    " aux cette mais ou comme sa son elle deux après leur nous être fait ses d l qu n s c",
    "es": "de la que el en y los se del las un por con no una su para es al lo como más pero sus le ha este sí porque"
    " esta"
    " entre cuando muy sin sobre también me hasta hay donde han quien desde fue son según años",
    "it": "di e il la che in un a per è una sono del con non si da come le dei nel alla più della al ha i gli anche"
    " ma lo"
    " delle se dal loro questo dalla nella sua su stato ai degli dell all essere hanno",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou"
    " quando"
    " muito nos já eu também só pelo pela até isso ela entre depois sem são foi está você",
    "nl": "de van het een en in is dat op te zijn met voor niet aan er om ook als door naar bij maar uit heeft over ze"
    " nog werd wordt deze worden hij meer dan zich hun die tot kan al geen na wel",
    "sv": "och i att det som en på är av för med till den har inte om ett han men var sig från vi så kan när år de"
    " hade nu eller efter vid mot också skulle över där ut blir",
    "da": "og i at det er en til på som den for med de af ikke der har et om han men var fra kan så vil efter blev også"
    " sig ved havde hvor nu eller skal år være når mere hun bliver over",
    "no": "og i det på som er en til å for med av at de ikke den har om et han men var fra så kan vil også etter ble"
    " seg"
    " ved hadde hvor nå eller skal år være når mer hun blir over sier",
    "fi": "ja on ei se että oli hän mutta ovat kuin myös joka tai sen ole mukaan kun vain jo voi niin nyt vielä sitä"
    " hänen joka kuitenkin olla vuoden jälkeen mitä sekä eivät noin tämä",
    "et": "ja on ei et see ka oli kui oma mis aga kes siis või olid ning pärast selle nii ma veel välja juba üle kas"
    " tema seda enam aasta tuleb nende ole oleks",
    "lv": "un ir ar no kas uz par to tas ka arī bet tika pēc gan ko lai nav bija tā jau pie kā viņš vai līdz gada ne"
    " savu latvijas vēl tiek kur tad",
    "lt": "ir kad į iš su yra tai bet kaip jis ne buvo už apie po tik dėl jau nuo savo taip ar metų bus prie jie ji"
    " kurie"
    " lietuvos gali dar o per",
    "pl": "i w na z do się nie że to jest o jak po za od co dla przez tym ale ma są oraz był jego przy być było które"
    " także już tylko może ich roku jej czy który będzie",
    "cs": "a v na se je že o s z do to jako za od pro podle by byl ale jsou po při nebo který které také už ve i k"
    " jeho bylo jen roku může být aby má než však však ještě ze",
    "sk": "a v na sa je že o s z do to ako za od pre podľa by bol ale sú po pri alebo ktorý ktoré tiež už vo aj k"
    " jeho bolo len roku môže byť aby má než však ešte zo",
    "sl": "in v je na da se so za ki z s o pa po tudi ne bi iz kot še do pri ali ga bo bil lahko ter kar le ni sta"
    " leta več med sem smo",
    "hr": "i u je se na da su za od s kako što o će koji a ne to iz nije bi ali po te kao do koje samo biti ili sve"
    " više"
    " godine nakon bio rekao još tako kada",
    "hu": "a az és hogy nem is egy volt meg de csak ez már van még el ki azt mint ezt szerint pedig ha lesz sem vagy"
    " után amely majd ami minden több között nagy",
    "ro": "de și în la a cu pe care nu din o este că un pentru să au mai fost al lui prin sunt după dar ca va se ai"
    " fi ce sau cel despre între când acest",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi en kadar sonra o ne var ise değil ancak her iki dedi"
    " olduğunu olduğu tarafından ama göre oldu yeni yıl",
    "az": "və bir bu ilə üçün da də olan olub kimi ki daha edib çox sonra isə onun görə bildirib artıq lakin həmin"
    " olaraq ən idi olacaq",
    "id": "yang dan di untuk dengan dari ini pada tidak itu dalam akan juga ke telah oleh karena bisa adalah kata"
    " tersebut"
    " sebagai ada bahwa dia saat kami atau mereka lebih sudah para",
    "ms": "yang dan di untuk dengan dari ini pada tidak itu dalam akan juga ke telah oleh kerana boleh ialah kata"
    " tersebut"
    " sebagai ada bahawa beliau ketika kami atau mereka lebih sudah daripada turut",
    "vi": "và của là có trong được cho không với các một người đã này những để khi đến từ vào ra như cũng tại về"
    " theo năm nhiều sau bị sẽ trên",
    "sq": "të dhe në e për me që një nga se është ka i më janë do kanë si por ishte u edhe nuk ky kjo pas tij mund"
    " duke këtë prej deri",
    "ca": "de la i que el en a els les del per un amb no és una al es ha com més dels o seva han són pel entre també"
    " aquest aquesta ser després però perquè",
    "gl": "de a que o e do da en os un unha para co non as no na por dos máis das ao como se pola seu súa tamén foi"
    " polo esta este pero entre despois",
    "eu": "eta da ez du bat dira ere izan dute egin zuen den dela hori zen baina dituzte egiten bere baino duela dago"
    " behar arabera ditu bi gehiago",
    "is": "og í að á er sem til við um en hann með var af það fyrir ekki þá hafa frá verið eru því hefur eða hún þegar"
    " segir voru upp eftir sér þar",
    "fo": "og í at á er sum til við ein tað ikki av hava fyri eru hevur frá var men tey hann so eftir um teir verið"
    " kann hjá skal",
    "cy": "y yn a i o ar mae ei wedi yr bod am gan fod ac ond hyn oedd eu gyda fel sydd bydd ein nad un roedd hefyd",
    "ga": "an na agus a ar go i is sé le do ní bhí chun ag tá ach mar seo sin leis den bheith raibh dúirt acu aige",
    "mt": "il li u ta biex għal fil ma minn dan kien hu din ta' kienet tal qal ukoll wara mill jew kif għandu aktar",
    "af": "die en van in 'n is het wat vir nie met op te dat aan sy was om deur hulle ook word kan maar sal hy as ons"
    " se na tot daar uit",
    "sw": "ya na wa kwa ni katika la za kuwa hiyo huo cha baada alisema pia hiyo kama hivyo yake ili huyo hilo wake"
    " wakati lakini watu",
    "tl": "ang ng sa na mga at ay ni para si ito kay nga po nang hindi may kanyang isang niya siya mula naman dahil"
    " din ayon kung pa",
    "zu": "ukuthi futhi uma kodwa ngoba khona lapho kanye kuthi emva ukuba nje yini kusho ngesikhathi wathi abantu"
    " ngemuva phezu kwakhe kule lo le",
    "xh": "ukuba kwaye ukuze kodwa kuba xa apho kunye emva nje abantu ngexesha uthe oko kwakhe phezu le lo nokuba"
    " ingaba kangangokuba",
    "st": "le ka ho ya tse a hore ba e mme ke o bo sa hae empa kapa bang ha tsa batho hona wa",
    "so": "oo iyo in ka ku ay waa uu la soo aan ee si uga waxaa waxa ah ayaa kale isaga laakiin markii kuwa",
    "ha": "da a ta na ya ba wannan don cikin ne su kuma shi daga kan sun zuwa yi ce bayan wani wata haka amma",
    "lb": "d' de an den ass vun a mat fir op net d'r dat sech och eng e et hunn huet awer gouf sinn nach bei um well",
    "ku": "û di ku de ji bi li ev ya yên jî bo na ew me wê wî xwe heye dike bû kir tê hat bin gel",
    "uz": "va bu bilan uchun bir ham edi boʻlgan deb uning kerak esa bo'lgan haqida ushbu hamda qilish ular yoki keyin",
    "kl": "taamaattumik aamma tamanna imaluunniit aammalu taamaalilluni soorlu pillugu taamaammat kisianni ilaatigut"
    " massakkut nunatsinni",
    "eo": "la kaj de en estas ne por ke li al ĝi kun mi sed vi el pri estis aŭ ili ŝi tiu kiu pli",
    "la": "et in est non ad ut cum quod sed qui a ex ab esse si ac per sunt nec enim quae atque",
}
CYRILLIC = {
    "ru": "и в не на что с по как это он из за от о для его к но был года у также бы все после при или до уже их так"
    " том"
    " которые было мы она",
    "uk": "і в не на що з у та до за від як це про він для є його але по був року також після які або було вже їх буде"
    " й ми вона під час",
    "be": "і ў не на што з у па як гэта ён для да ад пра яго але быў таксама за было якія каб ці пасля ёсць гэтым іх"
    " года мы яна",
    "bg": "на и да в за се от е с по не че са това до като при ще със които което след или който той бе му беше само"
    " има още към са",
    "sr": "је и у да се на су за од са не који као што то ће из о би али није до које или после године због још само"
    " рекао",
    "mk": "на и во да се за од е со не што ќе дека како ги го но по тоа кои или до беше биде само според после има"
    " година",
    "kk": "және мен бұл деп үшін бір да де бойынша болып кейін осы туралы деді болды бар бірақ екі ол жыл",
    "ky": "жана бул менен үчүн бир да деп боюнча кийин ал болгон эки тууралуу болуп жылы",
    "mn": "нь энэ байна гэж байгаа юм болон ба бол гэсэн бөгөөд хийж тухай өөр дээр монгол болох",
    "tg": "ва дар ба аз ки бо ин барои бар ҳам он шуд аст буд то мешавад кард",
}
DEVANAGARI = {
    "hi": "के है में की को से और का ने पर यह हैं भी कि इस एक नहीं हो गया था तो कर लिए साथ बाद कहा",
    "mr": "आहे या आणि त्या हे च्या मध्ये तर असून ही नाही होते झाले करण्यात आली की म्हणाले त्यांनी यांनी व",
    "ne": "छ को का र मा ले लाई हो छन् पनि भने गरेको भएको गर्ने यो भन्दा तर गरिएको थियो उनले",
}
